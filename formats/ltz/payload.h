#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "model/checkpoint/tensor.h"

namespace ltz::formats {

// How the bytes of a tensor are to be read; the numbers are those of the file.
enum class PayloadKind : std::uint8_t {
  kFloat32 = 0,
  kFloat16 = 1,
  kCodebook32 = 2,  // float32 centroids
  kCodebook16 = 3,  // centroids that float16 holds exactly
  kBFloat16 = 4,
  kContext32 = 5,  // float32 centroids, codes with contexts
  kContext16 = 6,
  kCodedFloat16 = 7,
  kCodedBFloat16 = 8,
  kScaledCodebook32 = 9,  // these four as 2, 3, 5 and 6, with a scale for each row
  kScaledCodebook16 = 10,
  kScaledContext32 = 11,
  kScaledContext16 = 12,
};
inline constexpr std::uint8_t kPayloadKinds = 13;

struct Payload {
  PayloadKind kind = PayloadKind::kFloat32;
  std::vector<std::byte> bytes;
};

// LTZ.md, "Payloads": the shortest kind that holds the tensor exactly or, where the difference is
// below 1%, the one that decodes faster. The tensor has passed check_tensor().
Payload encode_payload(const Tensor& tensor);

// The same as this kind, which must be one that can hold the tensor exactly.
std::vector<std::byte> encode_payload(const Tensor& tensor, PayloadKind kind);

// Allocates element_count(shape) codes or floats, and row_count(shape) scales, so the caller bounds
// it. Throws FormatError.
Tensor decode_payload(std::span<const std::byte> bytes, const Shape& shape, PayloadKind kind);

}  // namespace ltz::formats
