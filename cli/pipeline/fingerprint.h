#pragma once

#include <string>
#include <string_view>

#include "eval/quality/evaluate.h"
#include "model/checkpoint/checkpoint.h"

// What a measurement depends on, in a few characters: what was measured on the same may be put
// together.
namespace ltz::cli {

// 8 hexadecimal digits.
std::string fingerprint(std::string_view text);
// Of all lines.
std::string fingerprint(const eval::ParallelText& text);
// Of the names and values of all tensors.
std::string fingerprint(const Checkpoint& checkpoint);

}  // namespace ltz::cli
