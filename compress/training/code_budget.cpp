#include "compress/training/code_budget.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "model/base/parallel.h"

namespace ltz::compress {
namespace {

constexpr double kClose = 1e-3;
// A price of next to nothing, and one at which hardly any code but the commonest is chosen.
constexpr double kLeastFactor = 0x1p-6;
constexpr double kMostFactor = 0x1p10;
constexpr int kBisections = 12;  // to 1/256 of an octave

double bits_at(std::span<TrainedCodebook* const> codebooks, float price_factor) {
  std::vector<double> bits(codebooks.size());
  parallel_for(codebooks.size(),
               [&](std::size_t i) { bits[i] = codebooks[i]->code_bits(price_factor); });
  return std::accumulate(bits.begin(), bits.end(), 0.0);
}

}  // namespace

float price_factor_for(double target_bits, float current,
                       const std::function<double(float)>& bits_at) {
  double bits = bits_at(current);
  double low = bits > target_bits ? current : kLeastFactor;
  double high = bits > target_bits ? kMostFactor : current;
  float best = current;
  double distance = std::abs(bits - target_bits);
  for (int i = 0; i < kBisections && distance > kClose * target_bits; ++i) {
    const auto factor = static_cast<float>(std::sqrt(low * high));
    bits = bits_at(factor);
    if (bits > target_bits) {
      low = factor;
    } else {
      high = factor;
    }
    if (std::abs(bits - target_bits) <= distance) {
      best = factor;
      distance = std::abs(bits - target_bits);
    }
  }
  return best;
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
