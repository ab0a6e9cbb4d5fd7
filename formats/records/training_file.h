#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "compress/training/finetune.h"
#include "model/checkpoint/checkpoint.h"

namespace ltz::formats {

// A training on its way, to go on from after an interruption: a .safetensors file with the vectors
// NAME/0, NAME/1, … of each tensor's compress::TrainingState, the best model so far as the bytes of
// an .h5, and the counts in the metadata.

// start: what the training began with. signature: all else that it depends on, in a few words.
std::vector<std::byte> encode_training(const compress::FinetuneState& state,
                                       const Checkpoint& start, const std::string& signature);

// Throws ConfigError for the training of another signature, FormatError for anything else that
// encode_training() does not write; neither names the file.
compress::FinetuneState read_training(std::span<const std::byte> bytes, const Checkpoint& start,
                                      const std::string& signature);

}  // namespace ltz::formats
