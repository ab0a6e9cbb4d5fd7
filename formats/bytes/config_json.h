#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "model/checkpoint/config.h"

namespace ltz::formats {

// One key per member of ModelConfig, under its name; enumerations as words, the stacks and their
// branches as objects.
nlohmann::json to_json(const ModelConfig& config);

// The inverse. Every key is required but `glu` and `conv_channels` of a branch, which the first
// files do not have (see the source); keys that it does not know are ignored, so that a later
// version can add some. Throws FormatError, naming the key, for a missing one, a wrong type, an
// unknown word or a number outside what any model has (limits in the source).
ModelConfig config_from_json(const nlohmann::json& json);

// The JSON on one line, keys sorted. Throws FormatError for what config_from_text would refuse, and
// for text that is not UTF-8.
std::string config_text(const ModelConfig& config);
ModelConfig config_from_text(std::string_view text);

}  // namespace ltz::formats
