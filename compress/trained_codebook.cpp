#include "compress/trained_codebook.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <utility>

#include "compress/code_thresholds.h"
#include "compress/codebook.h"
#include "compress/fixed_chunks.h"
#include "model/error.h"

namespace ltz::compress {
namespace {

constexpr std::size_t kMaxCentroids = 256;

// sums[c] += sum of the gradients of the elements that have code c. Elements take turns with
// several tables, so that an addition need not wait for the one before it where codes repeat.
void add_by_code(std::span<const std::uint8_t> codes, const float* gradient,
                 std::span<double> sums) {
  constexpr std::size_t kTables = 4;
  std::array<std::array<double, kMaxCentroids>, kTables> tables{};
  std::size_t i = 0;
  for (; i + kTables <= codes.size(); i += kTables) {
    for (std::size_t table = 0; table < kTables; ++table) {
      tables[table][codes[i + table]] += gradient[i + table];
    }
  }
  for (; i < codes.size(); ++i) {
    tables[0][codes[i]] += gradient[i];
  }
  for (std::size_t code = 0; code < sums.size(); ++code) {
    for (const auto& table : tables) {
      sums[code] += table[code];
    }
  }
}

}  // namespace

TrainedCodebook::TrainedCodebook(const Shape& shape, const QuantizedValues& start)
    : shape_(shape),
      row_scales_(start.row_scales),
      centroids_(start.centroids),
      zero_(static_cast<std::size_t>(std::ranges::find(centroids_, 0.0f) - centroids_.begin())),
      codes_(start.codes),
      centroid_adam_(start.centroids.size()),
      latent_adam_(0) {
  if (row_scales_.empty()) {
    scales_ = {1.0f};
    columns_ = std::max<std::size_t>(codes_.size(), 1);
    return;
  }
  columns_ = codes_.size() / row_scales_.size();
  double squares = 0.0;
  for (const std::uint8_t code : row_scales_) {
    scales_.push_back(row_scale(code));
    squares += std::pow(static_cast<double>(scales_.back()), 2);
  }
  unit_ = std::sqrt(squares / static_cast<double>(scales_.size()));
}

TrainedCodebook::TrainedCodebook(const Shape& shape, const QuantizedValues& start,
                                 std::span<const float> original, const FreeCodesOptions& options)
    : TrainedCodebook(shape, start) {
  if (!original.empty() && original.size() != codes_.size()) {
    throw ConfigError(std::to_string(original.size()) + " original weights, expected " +
                      std::to_string(codes_.size()));
  }
  if (!(options.rate_weight >= 0.0 && options.margin >= 0.0 && options.margin <= 1.0)) {
    throw ConfigError("a rate weight of " + std::to_string(options.rate_weight) +
                      " and a margin of " + std::to_string(options.margin) +
                      ", expected from 0 up and 0 to 1");
  }
  free_codes_ = true;
  latent_adam_ = Adam(codes_.size());
  lengths_ = code_lengths(codes_, centroids_.size());
  price_ = options.rate_weight * price_of_a_bit(centroids_);
  thresholds_ = thresholds_at(price_factor_);
  start_latents(original, options.margin);
}

// Calls body(first, last, scale) for the parts of rows that make up elements [begin, end).
template <typename Body>
void TrainedCodebook::each_row(std::size_t begin, std::size_t end, const Body& body) const {
  while (begin < end) {
    const std::size_t row = begin / columns_;
    const std::size_t last = std::min(end, (row + 1) * columns_);
    body(begin, last, scales_[row]);
    begin = last;
  }
}

void TrainedCodebook::start_latents(std::span<const float> original, double margin) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  // Where the latent weights of each code may start. An outermost cell has as much room outside of
  // its centroid as inside.
  std::vector<float> least;
  std::vector<float> most;
  for (std::size_t j = 0; j < centroids_.size(); ++j) {
    const double c = centroids_[j];
    const bool first = j == 0;
    const bool last = j + 1 == centroids_.size();
    const double below = first ? 0.0 : c - thresholds_[j];
    const double above = last ? 0.0 : thresholds_[j + 1] - c;
    const double keep = 1.0 - margin;
    least.push_back(std::max(static_cast<float>(c - keep * (first ? above : below)),
                             first ? -kInfinity : thresholds_[j]));
    most.push_back(std::min(static_cast<float>(c + keep * (last ? below : above)),
                            last ? kInfinity : std::nextafter(thresholds_[j + 1], -kInfinity)));
  }
  latents_.resize(codes_.size());
  each_row(0, codes_.size(), [&](std::size_t first, std::size_t last, float scale) {
    for (std::size_t i = first; i < last; ++i) {
      const std::uint8_t code = codes_[i];
      latents_[i] = original.empty() ? centroids_[code]
                                     : std::clamp(original[i] / scale, least[code], most[code]);
    }
  });
}

void TrainedCodebook::values(std::span<float> out) const {
  for_chunks(codes_.size(), [&](std::size_t /*chunk*/, std::size_t begin, std::size_t end) {
    each_row(begin, end, [&](std::size_t first, std::size_t last, float scale) {
      for (std::size_t i = first; i < last; ++i) {
        out[i] = centroids_[codes_[i]] * scale;
      }
    });
  });
}

double TrainedCodebook::squared_gradient_norm(std::span<const float> gradient) const {
  if (free_codes_ || zero_ == centroids_.size()) {
    return squared_norm(gradient, [](std::size_t) { return true; });
  }
  const auto zero = static_cast<std::uint8_t>(zero_);
  return squared_norm(gradient, [&](std::size_t i) { return codes_[i] != zero; });
}

void TrainedCodebook::step(std::span<const float> gradient, const TrainingStep& step) {
  const double learning_rate = step.learning_rate / unit_;
  const std::size_t count = centroids_.size();
  std::vector<double> sums(chunk_count(codes_.size()) * count);
  if (free_codes_) {
    latent_adam_.begin_step();
  }
  for_chunks(codes_.size(), [&](std::size_t chunk, std::size_t begin, std::size_t end) {
    std::array<float, kChunkElements> scaled;
    each_row(begin, end, [&](std::size_t first, std::size_t last, float scale) {
      const auto factor = static_cast<float>(step.gradient_scale * scale);
      for (std::size_t i = first; i < last; ++i) {
        scaled[i - begin] = factor * gradient[i];
      }
    });
    add_by_code(std::span(codes_).subspan(begin, end - begin), scaled.data(),
                std::span(sums).subspan(chunk * count, count));
    if (free_codes_) {
      latent_adam_.step_part(begin, std::span(latents_).subspan(begin, end - begin),
                             std::span(scaled).first(end - begin), learning_rate);
    }
  });
  centroid_adam_.step(centroids_, centroid_gradient(sums), learning_rate);
  if (free_codes_) {
    order_centroids();
    choose_codes();
  }
}

// sums: (chunks, centroids)
std::vector<float> TrainedCodebook::centroid_gradient(const std::vector<double>& sums) const {
  const std::size_t count = centroids_.size();
  std::vector<double> total(count);
  for (std::size_t i = 0; i < sums.size(); ++i) {
    total[i % count] += sums[i];
  }
  if (zero_ < count) {
    total[zero_] = 0.0;
  }
  return {total.begin(), total.end()};
}

// Where centroids have met, they change their values instead of their places: the codes are chosen
// anew anyway.
void TrainedCodebook::order_centroids() {
  const auto zero = centroids_.begin() + static_cast<std::ptrdiff_t>(zero_);
  if (zero != centroids_.end()) {
    for (auto c = centroids_.begin(); c != zero; ++c) {
      *c = std::min(*c, -kSmallestFloat16);
    }
    for (auto c = zero + 1; c != centroids_.end(); ++c) {
      *c = std::max(*c, kSmallestFloat16);
    }
  }
  std::ranges::sort(centroids_);
}

std::vector<float> TrainedCodebook::thresholds_at(float price_factor) const {
  return code_thresholds(centroids_, lengths_, price_factor * price_);
}

void TrainedCodebook::choose_codes() {
  thresholds_ = thresholds_at(price_factor_);
  for_chunks(codes_.size(), [&](std::size_t /*chunk*/, std::size_t begin, std::size_t end) {
    update_codes(std::span(latents_).subspan(begin, end - begin), thresholds_,
                 std::span(codes_).subspan(begin, end - begin));
  });
}

double TrainedCodebook::code_bits(float price_factor) const {
  const std::vector<float> thresholds = thresholds_at(price_factor);
  std::vector<CodeCounts> parts(chunk_count(codes_.size()));
  for_chunks(codes_.size(), [&](std::size_t chunk, std::size_t begin, std::size_t end) {
    std::array<std::uint8_t, kChunkElements> buffer;
    const auto codes = std::span(buffer).first(end - begin);
    std::ranges::copy(std::span(codes_).subspan(begin, end - begin), codes.begin());
    update_codes(std::span(latents_).subspan(begin, end - begin), thresholds, codes);
    parts[chunk] = code_counts(codes);
  });
  CodeCounts counts{};
  for (const CodeCounts& part : parts) {
    std::ranges::transform(counts, part, counts.begin(), std::plus());
  }
  return static_cast<double>(codes_.size()) * entropy(counts);
}

void TrainedCodebook::count_codes() {
  lengths_ = code_lengths(codes_, centroids_.size());
}

void TrainedCodebook::set_price_factor(float price_factor) {
  price_factor_ = price_factor;
  choose_codes();
}

Tensor TrainedCodebook::tensor() const {
  QuantizedValues quantized{.centroids = centroids_, .codes = codes_, .row_scales = row_scales_};
  for (std::size_t j = 0; j < centroids_.size(); ++j) {
    quantized.centroids[j] = j == zero_ ? 0.0f : round_centroid(centroids_[j]);
  }
  tidy_codebook(quantized);
  return {shape_, std::move(quantized)};
}

TrainingState TrainedCodebook::state() const {
  TrainingState state = {centroids_};
  append(state, centroid_adam_.state());
  if (free_codes_) {
    state.push_back(latents_);
    append(state, latent_adam_.state());
    state.push_back(lengths_);
    state.push_back({price_factor_});
  }
  return state;
}

void TrainedCodebook::restore(const TrainingState& state) {
  const std::size_t count = centroids_.size();
  std::vector<std::size_t> sizes = {count, count, count, 1};
  if (free_codes_) {
    sizes.insert(sizes.end(), {codes_.size(), codes_.size(), codes_.size(), 1, count, 1});
  }
  require_sizes(state, sizes);
  centroids_ = state[0];
  centroid_adam_.restore(adam_state(state, 1));
  if (free_codes_) {
    latents_ = state[4];
    latent_adam_.restore(adam_state(state, 5));
    lengths_ = state[8];
    price_factor_ = state[9].front();
    choose_codes();
  }
}

}  // namespace ltz::compress
