#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "model/base/parallel.h"

namespace ltz::compress {

// Calls look(i, sums) for every i in [0, count) on all threads and adds up, in the order of i, what
// it puts into the empty sums that it is given: the same for any number of threads, and only a few
// sums are kept at a time. add(total, part) adds.
template <typename Sums, typename Look, typename Add>
Sums sum_over_batches(std::size_t count, const Look& look, const Add& add) {
  constexpr std::size_t kWave = 4;
  Sums total;
  for (std::size_t begin = 0; begin < count; begin += kWave) {
    std::vector<Sums> parts(std::min(kWave, count - begin));
    parallel_for(parts.size(), [&](std::size_t i) { look(begin + i, parts[i]); });
    for (const Sums& part : parts) {
      add(total, part);
    }
  }
  return total;
}

// For sums by name.
inline constexpr auto kAddByName = [](auto& total, const auto& part) {
  for (const auto& [name, sums] : part) {
    total[name].add(sums);
  }
};

}  // namespace ltz::compress
