#include "compress/free_codes.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <string>

#include "compress/code_thresholds.h"
#include "compress/codebook.h"
#include "compress/fixed_chunks.h"
#include "model/error.h"

namespace ltz::compress {

FreeCodes::FreeCodes(std::span<const std::uint8_t> codes, std::span<const float> centroids,
                     std::span<const float> weights, const FreeCodesOptions& options)
    : latents_(codes.size()),
      adam_(codes.size()),
      lengths_(code_lengths(codes, centroids.size())),
      price_(options.rate_weight * price_of_a_bit(centroids)) {
  if (!(options.rate_weight >= 0.0 && options.margin >= 0.0 && options.margin <= 1.0)) {
    throw ConfigError("a rate weight of " + std::to_string(options.rate_weight) +
                      " and a margin of " + std::to_string(options.margin) +
                      ", expected from 0 up and 0 to 1");
  }
  start(codes, centroids, weights, options.margin);
}

void FreeCodes::start(std::span<const std::uint8_t> codes, std::span<const float> centroids,
                      std::span<const float> weights, double margin) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const std::vector<float> borders = thresholds(centroids, price_factor_);
  // Where the latent weights of each code may start. An outermost cell has as much room outside of
  // its centroid as inside.
  std::vector<float> least;
  std::vector<float> most;
  for (std::size_t j = 0; j < centroids.size(); ++j) {
    const double c = centroids[j];
    const bool first = j == 0;
    const bool last = j + 1 == centroids.size();
    const double below = first ? 0.0 : c - borders[j];
    const double above = last ? 0.0 : borders[j + 1] - c;
    const double keep = 1.0 - margin;
    least.push_back(std::max(static_cast<float>(c - keep * (first ? above : below)),
                             first ? -kInfinity : borders[j]));
    most.push_back(std::min(static_cast<float>(c + keep * (last ? below : above)),
                            last ? kInfinity : std::nextafter(borders[j + 1], -kInfinity)));
  }
  for (std::size_t i = 0; i < codes.size(); ++i) {
    const std::uint8_t code = codes[i];
    latents_[i] =
        weights.empty() ? centroids[code] : std::clamp(weights[i], least[code], most[code]);
  }
}

void FreeCodes::step_part(std::size_t first, std::span<const float> gradient,
                          double learning_rate) {
  adam_.step_part(first, std::span(latents_).subspan(first, gradient.size()), gradient,
                  learning_rate);
}

std::vector<float> FreeCodes::thresholds(std::span<const float> centroids,
                                         float price_factor) const {
  return code_thresholds(centroids, lengths_, price_factor * price_);
}

void FreeCodes::choose(std::span<const float> centroids, std::span<std::uint8_t> codes) const {
  const std::vector<float> borders = thresholds(centroids, price_factor_);
  for_chunks(codes.size(), [&](std::size_t /*chunk*/, std::size_t begin, std::size_t end) {
    update_codes(std::span(latents_).subspan(begin, end - begin), borders,
                 codes.subspan(begin, end - begin));
  });
}

void FreeCodes::count(std::span<const std::uint8_t> codes) {
  lengths_ = code_lengths(codes, lengths_.size());
}

double FreeCodes::bits(std::span<const float> centroids, std::span<const std::uint8_t> codes,
                       float price_factor) const {
  const std::vector<float> borders = thresholds(centroids, price_factor);
  std::vector<CodeCounts> parts(chunk_count(codes.size()));
  for_chunks(codes.size(), [&](std::size_t chunk, std::size_t begin, std::size_t end) {
    std::array<std::uint8_t, kChunkElements> buffer;
    const auto chosen = std::span(buffer).first(end - begin);
    std::ranges::copy(codes.subspan(begin, end - begin), chosen.begin());
    update_codes(std::span(latents_).subspan(begin, end - begin), borders, chosen);
    parts[chunk] = code_counts(chosen);
  });
  CodeCounts counts{};
  for (const CodeCounts& part : parts) {
    std::ranges::transform(counts, part, counts.begin(), std::plus());
  }
  return static_cast<double>(codes.size()) * entropy(counts);
}

TrainingState FreeCodes::state() const {
  TrainingState state = {latents_};
  append(state, adam_.state());
  state.push_back(lengths_);
  state.push_back({price_factor_});
  return state;
}

std::vector<std::size_t> FreeCodes::state_sizes() const {
  const std::size_t count = latents_.size();
  return {count, count, count, 1, lengths_.size(), 1};
}

void FreeCodes::restore(const TrainingState& state, std::size_t first) {
  latents_ = state[first];
  adam_.restore(adam_state(state, first + 1));
  lengths_ = state[first + 4];
  price_factor_ = state[first + 5].front();
}

}  // namespace ltz::compress
