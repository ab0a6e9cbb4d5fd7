#pragma once

#include <cstddef>
#include <random>
#include <vector>

namespace ltz {

// Bell-shaped, in [-1, 1], the same on every platform.
inline std::vector<float> bell(std::size_t count, unsigned seed) {
  std::mt19937 generator(seed);
  std::vector<float> values(count);
  for (float& value : values) {
    double sum = 0.0;
    for (int i = 0; i < 4; ++i) {
      sum += static_cast<double>(generator()) * 0x1p-32 - 0.5;
    }
    value = static_cast<float>(sum / 2.0);
  }
  return values;
}

}  // namespace ltz
