#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "formats/models/model_description.h"

// What kind of a model it is, for people and scripts.
namespace ltz::cli {

// A line each for architecture, stacks and vocabulary; of a language model also for its bands.
std::string architecture_text(const formats::ModelDescription& model);

// Of a language model: the bands of its input and output, and what these have in common.
nlohmann::ordered_json language_model_json(const ModelConfig& config);

}  // namespace ltz::cli
