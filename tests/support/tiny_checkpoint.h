#pragma once

#include "model/checkpoint/checkpoint.h"

namespace ltz {

// A model of one layer in each stack, 8 channels wide, with an attention branch beside a dynamic
// (encoder) or lightweight (decoder) convolution. Every tensor of parameter_specs() is there as
// float32, in [-0.5, 0.5) (gains in [0.5, 1.5)), without a zero; the same for the same seed on
// every machine.
Checkpoint tiny_checkpoint(unsigned seed);

// The same for a language model: one layer, 13 words in bands of 5, 4 and 4 with vectors of 4, 2
// and 1 numbers, which input and output share; projections are the output's own.
Checkpoint tiny_language_model(unsigned seed);

// A checkpoint of this configuration, its values as above; the vocabularies are equal but for their
// lengths, a language model has one.
Checkpoint random_checkpoint(const ModelConfig& config, unsigned seed);

// Its tensors become, in turn, every kind that files know: codebooks (pruned, unpruned, all equal,
// with row scales), float16 and float32. There are at least 16.
Checkpoint with_all_encodings(Checkpoint checkpoint, unsigned seed);

// The tiny models with all of them.
Checkpoint tiny_quantized_checkpoint(unsigned seed);
Checkpoint tiny_quantized_language_model(unsigned seed);

}  // namespace ltz
