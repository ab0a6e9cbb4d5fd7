#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "compress/training/finetune.h"
#include "model/checkpoint/checkpoint.h"

namespace ltz::formats {

// An unfinished training, to resume after an interruption: a .safetensors file with the vectors
// NAME/0, NAME/1, … of each tensor's compress::TrainingState, those of the best model so far
// (best/NAME/values, or centroids, codes and row_scales), and the counts in the metadata.

// signature: all that the training depends on beside the model that it begins with, in a few words.
std::vector<std::byte> encode_training(const compress::FinetuneState& state,
                                       const std::string& signature);

// start: what the training began with. Throws ConfigError for the training of another signature or
// model, FormatError for anything else that encode_training() does not write; neither names the
// file.
compress::FinetuneState read_training(std::span<const std::byte> bytes, const Checkpoint& start,
                                      const std::string& signature);

}  // namespace ltz::formats
