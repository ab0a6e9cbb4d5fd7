#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "ltz_parts.h"
#include "malformed.h"
#include "model/checkpoint/checkpoint.h"

// Good files of a language model with one change.
namespace ltz::test {

// 13 words in bands of 5, 4 and 4; vectors of 4, 2 and 1 numbers, of which the model makes 8.
Checkpoint small_language_model();

Bytes language_ltz_with(const std::function<void(LtzParts&)>& change);
// change: of the header.
Bytes language_safetensors_with(const std::function<void(nlohmann::json&)>& change);

void read_safetensors_file(std::span<const std::byte> bytes, const std::string& name);

}  // namespace ltz::test
