#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include "model/base/parallel.h"

namespace ltz::compress {

// Elements that a thread works on at a time: four arrays of as many floats fit into a cache of the
// second level. Sums over chunks that are added in their order do not depend on the threads.
inline constexpr std::size_t kChunkElements = 1 << 13;

inline std::size_t chunk_count(std::size_t elements) {
  return (elements + kChunkElements - 1) / kChunkElements;
}

// Calls body(chunk, begin, end) for all chunks of that many elements, on all threads.
template <typename Body>
void for_chunks(std::size_t elements, const Body& body) {
  constexpr double kWork = 16.0;  // per element, in multiplications, about
  split_work(chunk_count(elements), kWork * static_cast<double>(elements),
             [&](std::size_t first, std::size_t last) {
               for (std::size_t chunk = first; chunk < last; ++chunk) {
                 const std::size_t begin = chunk * kChunkElements;
                 body(chunk, begin, std::min(begin + kChunkElements, elements));
               }
             });
}

// Sum of the squares of the values of which keep(i) is true. values: (n)
template <typename Keep>
double squared_norm(std::span<const float> values, const Keep& keep) {
  constexpr std::size_t kLanes = 16;  // added side by side, as a processor's vectors do
  std::vector<double> sums(chunk_count(values.size()));
  for_chunks(values.size(), [&](std::size_t chunk, std::size_t begin, std::size_t end) {
    std::array<float, kLanes> lanes{};
    std::size_t i = begin;
    for (; i + kLanes <= end; i += kLanes) {
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        const std::uint32_t kept = keep(i + lane) ? ~0u : 0u;  // a mask of bits: no branch is left
        const float value =
            std::bit_cast<float>(std::bit_cast<std::uint32_t>(values[i + lane]) & kept);
        lanes[lane] += value * value;
      }
    }
    for (; i < end; ++i) {
      lanes[0] += keep(i) ? values[i] * values[i] : 0.0f;
    }
    sums[chunk] = std::accumulate(lanes.begin(), lanes.end(), 0.0);
  });
  return std::accumulate(sums.begin(), sums.end(), 0.0);
}

}  // namespace ltz::compress
