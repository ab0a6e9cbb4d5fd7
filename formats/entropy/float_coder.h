#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace ltz::formats {

// 16-bit floats of one tensor (biases, gains), coded with probabilities that are learned while
// coding: sign, exponent and the first bits of the fraction have few values each; from the other
// bits there is little to learn. LTZ.md, "Float stream".

// bits: of float16 or bfloat16 values. No values become no bytes.
std::vector<std::byte> float_encode(std::span<const std::uint16_t> bits);

// The `count` values of such a stream. Allocates 2 x `count` bytes, so the caller bounds it. Throws
// FormatError for bytes that float_encode did not write.
std::vector<std::uint16_t> float_decode(std::span<const std::byte> bytes, std::size_t count);

}  // namespace ltz::formats
