#include "compress/training/free_codes.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <iterator>
#include <limits>
#include <numeric>
#include <string>

#include "compress/codebooks/code_thresholds.h"
#include "compress/training/fixed_chunks.h"
#include "model/base/error.h"

namespace ltz::compress {

namespace {

// The code of zero, or of what is next to it.
int code_nearest_zero(std::span<const float> centroids) {
  const auto nearest =
      std::ranges::min_element(centroids, {}, [](float centroid) { return std::abs(centroid); });
  return static_cast<int>(nearest - centroids.begin());
}

CodeRange range_of(std::span<const float> centroids) {
  return {.first = 0, .zero = code_nearest_zero(centroids), .count = centroids.size()};
}

}  // namespace

double coded_bits(std::span<const std::uint8_t> codes, std::size_t rows,
                  std::span<const float> centroids) {
  CodeLevels levels(rows, rows == 0 ? 0 : codes.size() / rows);
  return level_bits(learn_and_count(levels, codes, range_of(centroids)), centroids.size());
}

FreeCodes::FreeCodes(std::span<const std::uint8_t> codes, std::size_t rows,
                     std::span<const float> centroids, std::span<const float> weights,
                     const FreeCodesOptions& options)
    : latents_(codes.size()),
      adam_(codes.size()),
      levels_(rows, rows == 0 ? 0 : codes.size() / rows),
      price_(options.rate_weight * price_of_a_bit(centroids)) {
  if (!(options.rate_weight >= 0.0 && options.margin >= 0.0 && options.margin <= 1.0)) {
    throw ConfigError("a rate weight of " + std::to_string(options.rate_weight) +
                      " and a margin of " + std::to_string(options.margin) +
                      ", expected from 0 up and 0 to 1");
  }
  count(codes, centroids);
  start(codes, centroids, weights, options.margin);
}

void FreeCodes::start(std::span<const std::uint8_t> codes, std::span<const float> centroids,
                      std::span<const float> weights, double margin) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const std::size_t k = centroids.size();
  const std::vector<float> all_borders = thresholds(centroids, price_factor_);
  // Where the latent weights of each code may start, (levels, k). An outermost cell has as much
  // room outside of its centroid as inside; one that is empty has room nowhere.
  std::vector<std::pair<float, float>> room;
  for (std::size_t level = 0; level < CodeLevels::kLevels; ++level) {
    const auto borders = std::span(all_borders).subspan(level * (k + 1), k + 1);
    for (std::size_t j = 0; j < k; ++j) {
      const double c = centroids[j];
      const double below = c - borders[j];
      const double above = borders[j + 1] - c;
      const double keep = 1.0 - margin;
      const float least =
          std::max(static_cast<float>(c - keep * (below < kInfinity ? below : above)), borders[j]);
      const float most =
          std::min(static_cast<float>(c + keep * (above < kInfinity ? above : below)),
                   std::nextafter(borders[j + 1], -kInfinity));
      room.push_back(least <= most ? std::pair(least, most)
                                   : std::pair(centroids[j], centroids[j]));
    }
  }
  levels_.each(0, codes.size(), [&](std::size_t i, std::size_t level) {
    const auto [least, most] = room[level * k + codes[i]];
    latents_[i] = std::clamp(weights.empty() ? centroids[codes[i]] : weights[i], least, most);
  });
}

void FreeCodes::step_part(std::size_t first, std::span<const float> gradient,
                          double learning_rate) {
  adam_.step_part(first, std::span(latents_).subspan(first, gradient.size()), gradient,
                  learning_rate);
}

std::vector<float> FreeCodes::thresholds(std::span<const float> centroids,
                                         float price_factor) const {
  const std::size_t k = centroids.size();
  std::vector<float> all;
  for (std::size_t level = 0; level < CodeLevels::kLevels; ++level) {
    std::ranges::copy(code_thresholds(centroids, std::span(lengths_).subspan(level * k, k),
                                      price_factor * price_),
                      std::back_inserter(all));
  }
  return all;
}

void FreeCodes::choose(std::span<const float> centroids, float price_factor,
                       std::span<std::uint8_t> codes) const {
  const std::size_t borders = centroids.size() + 1;
  const std::vector<float> all = thresholds(centroids, price_factor);
  for_chunks(codes.size(), [&](std::size_t /*chunk*/, std::size_t begin, std::size_t end) {
    levels_.each(begin, end, [&](std::size_t i, std::size_t level) {
      codes[i] = code_of(latents_[i], std::span(all).subspan(level * borders, borders), codes[i]);
    });
  });
}

void FreeCodes::count(std::span<const std::uint8_t> codes, std::span<const float> centroids) {
  lengths_ = level_lengths(learn_and_count(levels_, codes, range_of(centroids)), centroids.size());
}

TrainingState FreeCodes::state() const {
  TrainingState state = {latents_};
  append(state, adam_.state());
  state.push_back(levels_.rows());
  state.push_back(levels_.columns());
  state.push_back(lengths_);
  state.push_back({price_factor_});
  return state;
}

std::vector<std::size_t> FreeCodes::state_sizes() const {
  const std::size_t count = latents_.size();
  return {count,           count, count, 1, levels_.rows().size(), levels_.columns().size(),
          lengths_.size(), 1};
}

void FreeCodes::restore(const TrainingState& state, std::size_t first) {
  latents_ = state[first];
  adam_.restore(adam_state(state, first + 1));
  levels_.restore(state[first + 4], state[first + 5]);
  lengths_ = state[first + 6];
  price_factor_ = state[first + 7].front();
}

}  // namespace ltz::compress
