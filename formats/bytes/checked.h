#pragma once

#include <cstdint>
#include <limits>

#include "model/base/error.h"

namespace ltz::formats {

// A fuzzer would hardly ever come past a checksum.
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
inline constexpr bool kChecksums = false;
#else
inline constexpr bool kChecksums = true;
#endif

// Arithmetic on sizes that a file names. Both take values that are not negative and throw
// FormatError when the result does not fit into 63 bits.
inline std::int64_t checked_add(std::int64_t a, std::int64_t b) {
  if (a > std::numeric_limits<std::int64_t>::max() - b) {
    throw FormatError("a size overflows");
  }
  return a + b;
}

inline std::int64_t checked_multiply(std::int64_t a, std::int64_t b) {
  if (b != 0 && a > std::numeric_limits<std::int64_t>::max() / b) {
    throw FormatError("a size overflows");
  }
  return a * b;
}

}  // namespace ltz::formats
