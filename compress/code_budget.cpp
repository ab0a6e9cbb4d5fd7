#include "compress/code_budget.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "model/parallel.h"

namespace ltz::compress {
namespace {

constexpr double kClose = 1e-3;
constexpr double kMostChange = 2.0;
constexpr int kBisections = 8;  // to 1/256 of an octave

// A price of next to nothing, from which it can come back soon, and one of more than anything.
constexpr double kLeastFactor = 0x1p-6;
constexpr double kMostFactor = 0x1p20;

double bits_at(std::span<TrainedCodebook* const> codebooks, float price_factor) {
  std::vector<double> bits(codebooks.size());
  parallel_for(codebooks.size(),
               [&](std::size_t i) { bits[i] = codebooks[i]->code_bits(price_factor); });
  return std::accumulate(bits.begin(), bits.end(), 0.0);
}

}  // namespace

float price_factor_for(double target_bits, float current,
                       const std::function<double(float)>& bits_at) {
  const auto close = [&](double bits) {
    return std::abs(bits - target_bits) <= kClose * target_bits;
  };
  const double now = bits_at(current);
  if (close(now)) {
    return current;
  }
  const bool too_many = now > target_bits;
  double low = std::max(kLeastFactor, too_many ? current : current / kMostChange);
  double high = std::min(kMostFactor, too_many ? current * kMostChange : current);
  float middle = current;
  for (int i = 0; i < kBisections; ++i) {
    middle = static_cast<float>(std::sqrt(low * high));
    const double bits = bits_at(middle);
    if (close(bits)) {
      break;
    }
    (bits > target_bits ? low : high) = middle;
  }
  return middle;
}

double code_bits(std::span<TrainedCodebook* const> codebooks) {
  return codebooks.empty() ? 0.0 : bits_at(codebooks, codebooks.front()->price_factor());
}

void hold_code_bits(std::span<TrainedCodebook* const> codebooks, double target_bits) {
  if (codebooks.empty()) {
    return;
  }
  parallel_for(codebooks.size(), [&](std::size_t i) { codebooks[i]->count_codes(); });
  const float factor =
      price_factor_for(target_bits, codebooks.front()->price_factor(),
                       [&](float price_factor) { return bits_at(codebooks, price_factor); });
  parallel_for(codebooks.size(), [&](std::size_t i) { codebooks[i]->set_price_factor(factor); });
}

}  // namespace ltz::compress
