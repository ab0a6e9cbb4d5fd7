#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "eval/budget/gates.h"
#include "eval/quality/evaluate.h"
#include "formats/models/model_file.h"
#include "model/decoding/beam_search.h"
#include "model/kernels/weight_matrix.h"

// Options that several subcommands share.
namespace ltz::cli {

// A model argument with the files that a checkpoint needs beside it.
struct ModelOptions {
  std::string path;
  formats::VocabularyFiles vocabulary;

  formats::ModelFile read() const { return formats::read_model(path, vocabulary); }
};
void add_model(CLI::App& command, ModelOptions& options);
// --source-dict, --target-dict, --bpe-codes, --sentencepiece-model, --bpe, --no-bpe
void add_vocabulary_files(CLI::App& command, formats::VocabularyFiles& files);

// Sentences that a model is tried on: --src and --ref, none or both; or --text of a language model.
struct TextOptions {
  std::string source;
  std::string reference;
  std::string text;

  bool given() const { return !source.empty() || !text.empty(); }
  // Throws CLI::RequiredError without a text.
  void require() const;
  // Throws CLI::ValidationError for a text that is not of this kind of model.
  void require_matches(const ModelConfig& config) const;
  // A --text's lines have empty sources. Throws ConfigError when the texts are empty or of
  // different length.
  eval::ParallelText read() const;
};
// prefix: "" for --src, --ref and --text; "dev-" for --dev-src, …
void add_text(CLI::App& command, TextOptions& options, const std::string& prefix = "");

// --beam, --lenpen, --max-len-a, --max-len-b, --min-len, --no-repeat-ngram-size
void add_beam(CLI::App& command, BeamOptions& options);

// --precision
void add_precision(CLI::App& command, Arithmetic& arithmetic);

// --json, --json=FILE
struct JsonOptions {
  std::string path;
  bool given() const { return !path.empty(); }
  // With --json alone, standard output belongs to the JSON.
  bool to_stdout() const { return path == "-"; }
};
void add_json(CLI::App& command, JsonOptions& options);

// --min-ratio, --max-bits, --max-bytes, --max-bleu-drop, --min-bleu, --max-nll-increase,
// --max-ppl-increase, --max-growth, --baseline
struct GateOptions {
  eval::GateLimits limits;
  std::string baseline;  // see read_baseline; empty: Transformer base, as in the paper
};
void add_gates(CLI::App& command, GateOptions& options);

// "0.1:0.9:0.1" (first:last:step), "2:8" (step 1) or "0.3,0.5". Throws CLI::ValidationError.
std::vector<double> parse_range(const std::string& text);

}  // namespace ltz::cli
