#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <optional>

namespace ltz::formats {

// IEEE 754 binary16: 1 sign, 5 exponent (bias 15), 10 fraction bits.
inline float float16_value(std::uint16_t bits) {
  const int exponent = (bits >> 10) & 0x1F;
  const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000U) << 16;
  const std::uint32_t fraction = bits & 0x3FFU;
  if (exponent == 0) {  // zero and subnormals: multiples of 2^-24
    const float magnitude = static_cast<float>(fraction) * 0x1p-24f;
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(magnitude) | sign);
  }
  const std::uint32_t wide = exponent == 0x1F ? 0xFFU : static_cast<std::uint32_t>(exponent + 112);
  return std::bit_cast<float>(sign | (wide << 23) | (fraction << 13));
}

// The bits of a value that float16 holds exactly; nothing for the others and for NaN.
inline std::optional<std::uint16_t> float16_bits(float value) {
  const auto wide = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>((wide >> 16) & 0x8000U);
  const float magnitude = std::fabs(value);
  std::uint32_t bits = 0;
  if (std::isinf(value)) {
    bits = 0x7C00U;
  } else if (magnitude < 0x1p-14f) {
    bits = static_cast<std::uint32_t>(magnitude * 0x1p24f);
  } else if (magnitude < 0x1p16f) {
    bits = ((wide & 0x7FFFFFFFU) - (112U << 23)) >> 13;
  }
  const auto result = static_cast<std::uint16_t>(sign | bits);
  if (std::bit_cast<std::uint32_t>(float16_value(result)) != wide) {
    return std::nullopt;
  }
  return result;
}

// bfloat16: 1 sign, 8 exponent (bias 127), 7 fraction bits; the upper half of a float32.
inline float bfloat16_value(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

// The bits of a value that bfloat16 holds exactly; nothing for the others.
inline std::optional<std::uint16_t> bfloat16_bits(float value) {
  const auto wide = std::bit_cast<std::uint32_t>(value);
  if ((wide & 0xFFFFU) != 0) {
    return std::nullopt;
  }
  return static_cast<std::uint16_t>(wide >> 16);
}

}  // namespace ltz::formats
