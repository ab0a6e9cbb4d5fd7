#pragma once

#include <cstddef>
#include <vector>

#include "formats/onnx/onnx.h"
#include "model/checkpoint/checkpoint.h"

namespace ltz::formats {

// A .safetensors file of some source sentences and of what the graphs make of them, computed by
// model/; ONNX.md has the names and shapes. The sentences are random words, at most as long as the
// options' fixed lengths; what the decoder reads is the model's own translation. A language model
// reads the sentences themselves.
std::vector<std::byte> golden_file(const Checkpoint& checkpoint, const OnnxOptions& options);

}  // namespace ltz::formats
