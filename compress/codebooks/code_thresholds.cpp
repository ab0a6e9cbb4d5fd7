#include "compress/codebooks/code_thresholds.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace ltz::compress {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

}  // namespace

double price_of_a_bit(std::span<const float> centroids) {
  std::vector<double> distances;
  for (std::size_t j = 1; j < centroids.size(); ++j) {
    distances.push_back(static_cast<double>(centroids[j]) - centroids[j - 1]);
  }
  if (distances.empty()) {
    return 0.0;
  }
  const auto middle = distances.begin() + static_cast<std::ptrdiff_t>(distances.size() / 2);
  std::ranges::nth_element(distances, middle);
  return *middle * *middle * std::numbers::ln2 / 6.0;
}

std::vector<float> code_thresholds(std::span<const float> centroids, std::span<const float> lengths,
                                   double price) {
  // Where values begin for which b is cheaper than a, which is below b or equal.
  const auto meet = [&](std::size_t a, std::size_t b) {
    const double distance = static_cast<double>(centroids[b]) - centroids[a];
    const double extra = price * (static_cast<double>(lengths[b]) - lengths[a]);
    if (distance == 0.0) {
      return extra < 0.0 ? -kInfinity : kInfinity;
    }
    const double middle = 0.5 * (static_cast<double>(centroids[a]) + centroids[b]);
    return static_cast<float>(middle + extra / (2.0 * distance));
  };
  std::vector<std::size_t> cells;  // of the centroids so far: those that are not empty,
  std::vector<float> begins;       // and where they begin
  for (std::size_t j = 0; j < centroids.size(); ++j) {
    float begin = -kInfinity;
    while (!cells.empty() && (begin = meet(cells.back(), j)) <= begins.back()) {
      cells.pop_back();
      begins.pop_back();
    }
    if (begin < kInfinity) {
      cells.push_back(j);
      begins.push_back(begin);
    }
  }
  std::vector<float> thresholds(centroids.size() + 1, kInfinity);
  std::size_t first = 0;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    std::fill(thresholds.begin() + first, thresholds.begin() + cells[i] + 1, begins[i]);
    first = cells[i] + 1;
  }
  return thresholds;
}

}  // namespace ltz::compress
