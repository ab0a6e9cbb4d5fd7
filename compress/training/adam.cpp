#include "compress/training/adam.h"

#include <cmath>
#include <string>
#include <utility>

#include "model/base/error.h"
#include "model/base/parallel.h"
#include "model/kernels/simd.h"

namespace ltz::compress {
namespace {

// The factors of one update: p -= rate * m / (sqrt(v) + epsilon). The bias corrections of both
// moments are in rate and epsilon, which leaves one root and one division an element.
struct Factors {
  float beta1;
  float beta2;
  float rate;
  float epsilon;
};

// Zero in place of what is too small to matter. Moments of parameters that get no gradients any
// more would else end as denormal numbers, which rounding keeps from ever reaching zero and with
// which processors are slow.
LTZ_INLINE float without_dust(float x) {
  constexpr float kDust = 1e-30f;
  return std::abs(x) < kDust ? 0.0f : x;
}

// p, m, v, g: (n)
LTZ_MULTIVERSION
void update(float* __restrict p, float* __restrict m, float* __restrict v,
            const float* __restrict g, std::size_t n, const Factors& factors) {
  const auto [beta1, beta2, rate, epsilon] = factors;
  for (std::size_t i = 0; i < n; ++i) {
    m[i] = without_dust(beta1 * m[i] + (1.0f - beta1) * g[i]);
    v[i] = without_dust(beta2 * v[i] + (1.0f - beta2) * g[i] * g[i]);
    p[i] -= rate * m[i] / (std::sqrt(v[i]) + epsilon);
  }
}

}  // namespace

Adam::Adam(std::size_t size, const AdamOptions& options)
    : options_(options),
      state_{.first = std::vector<float>(size), .second = std::vector<float>(size)} {}

void Adam::step(std::span<float> parameters, std::span<const float> gradient,
                double learning_rate) {
  if (parameters.size() != state_.first.size() || gradient.size() != state_.first.size()) {
    throw ConfigError(std::to_string(parameters.size()) + " parameters with " +
                      std::to_string(gradient.size()) + " gradients, expected " +
                      std::to_string(state_.first.size()) + " of both");
  }
  begin_step();
  constexpr double kWork = 16.0;  // about that of the root and the division
  split_work(parameters.size(), kWork * static_cast<double>(parameters.size()),
             [&](std::size_t begin, std::size_t end) {
               step_part(begin, parameters.subspan(begin, end - begin),
                         gradient.subspan(begin, end - begin), learning_rate);
             });
}

void Adam::step_part(std::size_t first, std::span<float> parameters,
                     std::span<const float> gradient, double learning_rate) {
  const auto updates = static_cast<double>(state_.updates);
  const double first_correction = 1.0 - std::pow(options_.beta1, updates);
  const double second_correction = std::sqrt(1.0 - std::pow(options_.beta2, updates));
  const Factors factors{
      .beta1 = static_cast<float>(options_.beta1),
      .beta2 = static_cast<float>(options_.beta2),
      .rate = static_cast<float>(learning_rate * second_correction / first_correction),
      .epsilon = static_cast<float>(options_.epsilon * second_correction),
  };
  update(parameters.data(), state_.first.data() + first, state_.second.data() + first,
         gradient.data(), parameters.size(), factors);
}

void Adam::forget(std::span<const std::uint8_t> mask) {
  for (std::size_t i = 0; i < mask.size(); ++i) {
    if (mask[i] == 0) {
      state_.first[i] = state_.second[i] = 0.0f;
    }
  }
}

void Adam::restore(AdamState state) {
  if (state.first.size() != state_.first.size() || state.second.size() != state_.first.size()) {
    throw ConfigError("a state of Adam for " + std::to_string(state.first.size()) +
                      " parameters, expected " + std::to_string(state_.first.size()));
  }
  state_ = std::move(state);
}

}  // namespace ltz::compress
