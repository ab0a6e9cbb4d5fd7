#include "compress/code_thresholds.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "compress/codebook.h"

namespace ltz::compress {

std::vector<float> code_lengths(std::span<const std::uint8_t> codes, std::size_t count) {
  const auto counts = code_counts(codes);
  const auto total = static_cast<double>(std::max<std::size_t>(codes.size(), 1));
  std::vector<float> lengths;
  for (std::size_t j = 0; j < count; ++j) {
    lengths.push_back(
        static_cast<float>(std::log2(total / std::max(static_cast<double>(counts[j]), 0.5))));
  }
  return lengths;
}

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

void update_codes(std::span<const float> values, std::span<const float> thresholds,
                  std::span<std::uint8_t> codes) {
  const std::size_t last = thresholds.size() - 2;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const float value = values[i];
    std::size_t code = codes[i];
    while (code < last && value >= thresholds[code + 1]) {
      ++code;
    }
    while (value < thresholds[code]) {  // the first of them is below all
      --code;
    }
    codes[i] = static_cast<std::uint8_t>(code);
  }
}

}  // namespace ltz::compress
