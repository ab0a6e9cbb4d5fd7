#pragma once

#include <map>
#include <string>

#include "formats/torch/tensor.h"
#include "model/checkpoint/config.h"

namespace ltz::formats {

using TorchTensors = std::map<std::string, TorchTensor>;

// The steps from a state_dict of fairseq to the tensors of a Checkpoint, in this order. All throw
// FormatError, naming the tensors.

// What fairseq 0.8 calls this parameter of a Checkpoint. The names are the same but in layers of
// convolution-only models.
std::string fairseq_name(const ModelConfig& config, const std::string& name);
// The inverse; a name that is none of fairseq stays.
std::string canonical_name(const ModelConfig& config, const std::string& fairseq_name);

// Adapts config.*.final_norm to the state_dict's version, as fairseq does: versions below 2
// (encoder) or 3 (decoder) have no LayerNorm after the last layer. The versions of convolution-only
// models say nothing of the kind: they are left alone.
void apply_versions(TorchTensors& tensors, ModelConfig& config);

// Drops the entries that are no weights.
void drop_buffers(TorchTensors& tensors);

// Gives weights of older and newer fairseq versions the names of a Checkpoint, and splits
// in_proj_weight and in_proj_bias (q, k and v on top of each other).
void upgrade_names(TorchTensors& tensors, const ModelConfig& config);

// Keeps one of the embedding matrices that are one for the configuration. Their copies must be
// equal bit by bit.
void merge_tied(TorchTensors& tensors, const ModelConfig& config);

// Gives the (heads, taps) kernels of lightweight convolutions that were trained on a GPU, whose
// layer is another one in fairseq, the shape (heads, 1, taps).
void reshape_kernels(TorchTensors& tensors, const ModelConfig& config);

}  // namespace ltz::formats
