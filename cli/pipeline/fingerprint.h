#pragma once

#include <string>
#include <string_view>

#include "eval/quality/evaluate.h"
#include "formats/bytes/provenance.h"
#include "model/checkpoint/checkpoint.h"

// What a measurement depends on, in a few characters: XXH3 of 64 bits (Collet), which tells apart
// what is kept by mistake or by chance, not what somebody forges.
namespace ltz::pipeline {

// 16 hexadecimal digits.
std::string fingerprint(std::string_view text);
// Of all lines of both sides.
std::string fingerprint(const eval::ParallelText& text);
// Of the words of both sides, and of the merges or the SentencePiece model.
std::string vocabulary_fingerprint(const Checkpoint& checkpoint);
// Of the configuration, and of the names, shapes and values of all tensors.
std::string fingerprint(const Checkpoint& checkpoint);

// Of ltz: "0.1.0".
std::string version();
// What a file of this program says of what made it, to begin with.
formats::Provenance made_by_ltz();

}  // namespace ltz::pipeline
