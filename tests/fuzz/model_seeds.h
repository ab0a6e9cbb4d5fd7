#pragma once

#include <string>

#include "model/checkpoint/checkpoint.h"

// Models that inputs begin with. Files with all of a model's tensors take the longest to read, so
// these have as few as there can be.
namespace ltz::test {

// Pickles of a fairseq checkpoint with one tensor. stream: as torch < 1.6 stored it.
std::string small_object(bool stream);
// Settings of a language model, and a table that is there under both of its names.
std::string small_language_object(bool stream);

Checkpoint small_checkpoint();
// With every encoding of tensors.
Checkpoint small_quantized_checkpoint();
// A language model with two bands in which everything is tied.
Checkpoint small_language_model();

}  // namespace ltz::test
