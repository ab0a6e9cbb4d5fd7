#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "model/checkpoint/checkpoint.h"

namespace ltz::cli {

// A model to write, in the container that its name or --to says.
struct ModelOutput {
  std::string path;
  std::string to;        // --to: "h5", "safetensors" or "ltz"; empty: not given
  std::string nameless;  // what goes to a pipe or standard output without --to; empty: nothing does

  // Throws ConfigError where neither says it, CLI::ValidationError where they disagree.
  std::string container() const;
  // command: what made it, which a .ltz says.
  void write(const Checkpoint& checkpoint, const std::string& command) const;
};

// -o and --to; .h5 to pipes and standard output.
void add_model_output(CLI::App& command, ModelOutput& output);
// --to alone.
CLI::Option* add_container(CLI::App& command, ModelOutput& output);

// Throws CLI::ValidationError if this is standard output, and that a terminal.
void refuse_terminal(const std::string& path);

}  // namespace ltz::cli
