#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "cli/pipeline/fingerprint.h"
#include "formats/models/model_file.h"

namespace ltz::cli {

// A model to write, in the container that its name or --to says.
struct ModelOutput {
  std::string path;
  std::string to;        // --to: "h5", "safetensors" or "ltz"; empty: not given
  std::string nameless;  // what goes to a pipe or standard output without --to; empty: nothing does

  // Throws ConfigError where neither says it, CLI::ValidationError where they disagree.
  std::string container() const;
  // made: what the file says of what made it.
  void write(const Checkpoint& checkpoint,
             const formats::Provenance& made = pipeline::made_by_ltz()) const;
  // The model of another file, with what that says of it.
  void write(const formats::ModelFile& model) const;
};

// What a copy of a model says of what made it: the same, or that it was this program.
formats::Provenance made_of(const formats::ModelFile& model);

// -o and --to; .h5 to pipes and standard output.
void add_model_output(CLI::App& command, ModelOutput& output);
// --to alone.
CLI::Option* add_container(CLI::App& command, ModelOutput& output);

// Throws CLI::ValidationError if this is standard output, and that a terminal.
void refuse_terminal(const std::string& path);

}  // namespace ltz::cli
