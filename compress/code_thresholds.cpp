#include "compress/code_thresholds.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace ltz::compress {

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
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  std::vector<float> thresholds = {-kInfinity};
  for (std::size_t j = 1; j < centroids.size(); ++j) {
    const float a = centroids[j - 1];
    const float b = centroids[j];
    float threshold = b;
    if (a < b) {
      const double middle = 0.5 * (static_cast<double>(a) + b);
      const double shift = price * (static_cast<double>(lengths[j]) - lengths[j - 1]) /
                           (2.0 * (static_cast<double>(b) - a));
      threshold = std::clamp(static_cast<float>(middle + shift), std::nextafter(a, b), b);
    }
    thresholds.push_back(threshold);
  }
  thresholds.push_back(kInfinity);
  return thresholds;
}

}  // namespace ltz::compress
