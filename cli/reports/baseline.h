#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "model/checkpoint/config.h"

// What a model is compared with: --baseline.
namespace ltz::cli {

struct Baseline {
  std::string name;
  std::int64_t parameters = 0;        // without embeddings
  std::optional<ModelConfig> config;  // none for a bare number of parameters
};

// text: a number of parameters, or what formats::describe_model takes; empty: what the paper
// compares a model of this kind with, for which no file is looked for. Throws as describe_model
// does.
Baseline read_baseline(const std::string& text, const ModelConfig& model);

struct SentenceLengths {
  int source = 30;  // tokens; a language model reads none
  int target = 30;
};

// Parameters side by side, with their ratios; and Mult-Adds, unless the baseline is a bare number
// or one of the two a language model and the other not.
std::string comparison_table(const ModelConfig& model, const Baseline& baseline,
                             const SentenceLengths& lengths);
nlohmann::ordered_json comparison_json(const ModelConfig& model, const Baseline& baseline,
                                       const SentenceLengths& lengths);

}  // namespace ltz::cli
