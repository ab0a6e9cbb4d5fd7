#include "compress/codebooks/codebook.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "model/base/error.h"

namespace ltz::compress {

float checked_float16(float value, const char* what) {
  const float rounded = round_to_float16(value);
  if (!std::isfinite(rounded)) {
    throw ConfigError(std::string(what) + " " + std::to_string(value) +
                      " is not a finite float16 (at most 65504 in magnitude)");
  }
  return rounded;
}

float round_centroid(float centroid) {
  const float rounded = checked_float16(centroid, "centroid");
  return rounded != 0.0f ? rounded : std::copysign(kSmallestFloat16, centroid);
}

CodeCounts code_counts(std::span<const std::uint8_t> codes) {
  CodeCounts counts{};
  for (const std::uint8_t code : codes) {
    ++counts[code];
  }
  return counts;
}

double entropy(const CodeCounts& counts) {
  const auto total =
      static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::size_t{0}));
  double bits = 0.0;
  for (const std::size_t count : counts) {
    if (count > 0) {
      const double share = static_cast<double>(count) / total;
      bits -= share * std::log2(share);
    }
  }
  return bits;
}

void tidy_codebook(QuantizedValues& quantized) {
  const CodeCounts counts = code_counts(quantized.codes);
  const std::vector<float>& centroids = quantized.centroids;
  std::vector<std::size_t> order(centroids.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t j) { return centroids[j]; });
  std::array<std::uint8_t, 256> renamed{};
  std::vector<float> used;
  for (const std::size_t j : order) {
    if (counts[j] > 0) {
      if (used.empty() || used.back() < centroids[j]) {
        used.push_back(centroids[j]);
      }
      renamed[j] = static_cast<std::uint8_t>(used.size() - 1);
    }
  }
  std::ranges::transform(quantized.codes, quantized.codes.begin(),
                         [&](std::uint8_t code) { return renamed[code]; });
  quantized.centroids = std::move(used);
}

}  // namespace ltz::compress
