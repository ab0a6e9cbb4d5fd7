#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>

#include "model/checkpoint/config.h"

// Hyper-parameters without weights.
namespace ltz::formats {

// Why a text is neither a model nor its settings.
inline constexpr const char* kNoArchitecture =
    "a text without the setting arch; the hyper-parameters of a model are fairseq's, by name, as "
    "YAML or JSON, such as \"arch: transformer\"";

// What settings are written in, and no model: UTF-8 without a NUL, of at most 1 MiB and not empty.
bool is_short_text(std::span<const std::byte> bytes);

// JSON or YAML: fairseq's settings by name, with dashes or underscores, as in the configs/*.yml of
// mit-han-lab/lite-transformer; of an `encoder` or `decoder` map, each with the stack's name in
// front, as fairseq 0.8 has it. Returns what config_from_args takes. A value that no setting of a
// model has (another map, a list of lists) becomes an object that says its line: nothing that is
// read accepts it, and in settings of the training it does not matter. Throws FormatError that
// starts with `name`, the file.
nlohmann::json parse_settings(std::string_view text, const std::string& name);

// config_from_args, and the sizes of the vocabularies, which are not among fairseq's settings:
// source_vocabulary_size and target_vocabulary_size, or vocabulary_size for both (special tokens
// included). Without them they are 0, and the embeddings count nothing. Throws ConfigError when no
// model of that shape can be built.
ModelConfig config_from_settings(const nlohmann::json& settings);

}  // namespace ltz::formats
