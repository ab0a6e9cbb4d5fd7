#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>

#include "model/config.h"

// Hyper-parameters without weights.
namespace ltz::formats {

// A short text that names an architecture; whether it can be parsed is another matter.
bool is_settings_file(std::span<const std::byte> bytes);

// JSON or YAML: fairseq's settings by name, with dashes or underscores, as in the configs/*.yml of
// mit-han-lab/lite-transformer. Returns what config_from_args takes; values that no model setting
// has (maps, nested lists) are left out. Throws FormatError that starts with `name`, the file.
nlohmann::json parse_settings(std::string_view text, const std::string& name);

// config_from_args, and the sizes of the vocabularies, which are not among fairseq's settings:
// source_vocabulary_size and target_vocabulary_size, or vocabulary_size for both (special tokens
// included). Without them they are 0, and the embeddings count nothing. Throws ConfigError when no
// model of that shape can be built.
ModelConfig config_from_settings(const nlohmann::json& settings);

}  // namespace ltz::formats
