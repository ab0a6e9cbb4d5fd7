#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "model/tensor.h"

namespace ltz::formats {

// How the bytes of a tensor are to be read; the numbers are those of the file.
enum class PayloadKind : std::uint8_t {
  kFloat32 = 0,
  kFloat16 = 1,
  kCodebook32 = 2,  // float32 centroids
  kCodebook16 = 3,  // centroids that float16 holds exactly
  kBFloat16 = 4,
};
inline constexpr std::uint8_t kPayloadKinds = 5;

// The shortest kind that holds the tensor exactly.
PayloadKind payload_kind(const Tensor& tensor);

// LTZ.md, "Payloads". The tensor has passed check_tensor().
std::vector<std::byte> encode_payload(const Tensor& tensor);

// Allocates element_count(shape) codes, so the caller bounds it. Throws FormatError.
Tensor decode_payload(std::span<const std::byte> bytes, const Shape& shape, PayloadKind kind);

}  // namespace ltz::formats
