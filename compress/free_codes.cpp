#include "compress/free_codes.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <iterator>
#include <limits>
#include <numeric>
#include <string>

#include "compress/code_thresholds.h"
#include "compress/fixed_chunks.h"
#include "model/error.h"

namespace ltz::compress {

namespace {

// The code of zero, or of what is next to it.
int zero_code(std::span<const float> centroids) {
  const auto nearest =
      std::ranges::min_element(centroids, {}, [](float centroid) { return std::abs(centroid); });
  return static_cast<int>(nearest - centroids.begin());
}

// counts: (levels, k)
double entropy_by_level(std::span<const std::int64_t> counts, std::size_t k) {
  double bits = 0.0;
  for (std::size_t first = 0; first < counts.size(); first += k) {
    const auto level = counts.subspan(first, k);
    const auto total =
        static_cast<double>(std::accumulate(level.begin(), level.end(), std::int64_t{0}));
    for (const std::int64_t count : level) {
      if (count > 0) {
        bits += static_cast<double>(count) * std::log2(total / static_cast<double>(count));
      }
    }
  }
  return bits;
}

}  // namespace

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
  // room outside of its centroid as inside.
  std::vector<float> least;
  std::vector<float> most;
  for (std::size_t level = 0; level < CodeLevels::kLevels; ++level) {
    const auto borders = std::span(all_borders).subspan(level * (k + 1), k + 1);
    for (std::size_t j = 0; j < k; ++j) {
      const double c = centroids[j];
      const bool first = j == 0;
      const bool last = j + 1 == k;
      const double below = first ? 0.0 : c - borders[j];
      const double above = last ? 0.0 : borders[j + 1] - c;
      const double keep = 1.0 - margin;
      least.push_back(std::max(static_cast<float>(c - keep * (first ? above : below)),
                               first ? -kInfinity : borders[j]));
      most.push_back(std::min(static_cast<float>(c + keep * (last ? below : above)),
                              last ? kInfinity : std::nextafter(borders[j + 1], -kInfinity)));
    }
  }
  levels_.each(0, codes.size(), [&](std::size_t i, std::size_t level) {
    const std::size_t cell = level * k + codes[i];
    latents_[i] =
        weights.empty() ? centroids[codes[i]] : std::clamp(weights[i], least[cell], most[cell]);
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

// Calls body(chunk, i, level, code) for all places with the codes that the latent weights have.
template <typename Body>
void FreeCodes::each_choice(std::span<const float> centroids, std::span<const std::uint8_t> codes,
                            float price_factor, const Body& body) const {
  const std::size_t borders = centroids.size() + 1;
  const std::vector<float> all = thresholds(centroids, price_factor);
  for_chunks(codes.size(), [&](std::size_t chunk, std::size_t begin, std::size_t end) {
    levels_.each(begin, end, [&](std::size_t i, std::size_t level) {
      body(chunk, i, level,
           code_of(latents_[i], std::span(all).subspan(level * borders, borders), codes[i]));
    });
  });
}

void FreeCodes::choose(std::span<const float> centroids, std::span<std::uint8_t> codes) const {
  each_choice(centroids, codes, price_factor_,
              [&](std::size_t /*chunk*/, std::size_t i, std::size_t /*level*/, std::uint8_t code) {
                codes[i] = code;
              });
}

void FreeCodes::count(std::span<const std::uint8_t> codes, std::span<const float> centroids) {
  const int zero = zero_code(centroids);
  std::vector<std::uint8_t> magnitudes(codes.size());
  std::ranges::transform(codes, magnitudes.begin(), [&](std::uint8_t code) {
    return static_cast<std::uint8_t>(std::abs(code - zero));
  });
  levels_.learn(magnitudes);
  std::vector<std::int64_t> counts(CodeLevels::kLevels * centroids.size());
  levels_.each(0, codes.size(), [&](std::size_t i, std::size_t level) {
    ++counts[level * centroids.size() + codes[i]];
  });
  lengths_ = level_lengths(counts, centroids.size());
}

double FreeCodes::bits(std::span<const float> centroids, std::span<const std::uint8_t> codes,
                       float price_factor) const {
  const std::size_t k = centroids.size();
  std::vector<std::vector<std::uint16_t>> parts(
      chunk_count(codes.size()), std::vector<std::uint16_t>(CodeLevels::kLevels * k));
  each_choice(centroids, codes, price_factor,
              [&](std::size_t chunk, std::size_t /*i*/, std::size_t level, std::uint8_t code) {
                ++parts[chunk][level * k + code];
              });
  std::vector<std::int64_t> counts(CodeLevels::kLevels * k);
  for (const std::vector<std::uint16_t>& part : parts) {
    std::ranges::transform(counts, part, counts.begin(), std::plus());
  }
  return entropy_by_level(counts, k);
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
