#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "formats/safetensors/safetensors.h"
#include "formats/torch/tensor.h"
#include "model/checkpoint/tensor.h"

namespace ltz::formats {

// The elements of tensors as the bytes of a .safetensors file.

// "F32", "F16" or "BF16".
const char* dtype_of(Precision precision);
// Little-endian. Each value is one that the precision holds exactly.
void put_values(std::vector<std::byte>& out, std::span<const float> values, Precision precision);

// The inverse, also of "F64", "I64" and "I32". name: of the tensor. Throws FormatError for any
// other type.
TorchTensor decode_view(const std::string& name, const SafetensorsView& view);

}  // namespace ltz::formats
