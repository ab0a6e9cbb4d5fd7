#include "compress/training/trained_codebook.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <string>
#include <utility>

#include "compress/codebooks/codebook.h"
#include "compress/training/fixed_chunks.h"
#include "model/base/error.h"
#include "model/base/parallel.h"

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

std::size_t rows_of(const Shape& shape) {
  return shape.empty() ? 1 : static_cast<std::size_t>(shape.front());
}

// The code of the centroid that is exactly zero, or the number of centroids.
std::size_t zero_or_end(const std::vector<float>& centroids) {
  const std::size_t place = place_of_zero(centroids);
  return place < centroids.size() && centroids[place] == 0.0f ? place : centroids.size();
}

double root_mean_square(std::span<const float> values) {
  double squares = 0.0;
  for (const float value : values) {
    squares += std::pow(static_cast<double>(value), 2);
  }
  return std::sqrt(squares / static_cast<double>(values.size()));
}

}  // namespace

TrainedCodebook::TrainedCodebook(const Shape& shape, const QuantizedValues& start)
    : shape_(shape),
      row_scales_(start.row_scales),
      centroids_(start.centroids),
      zero_(zero_or_end(centroids_)),
      codes_(start.codes),
      centroid_adam_(start.centroids.size()) {
  const std::size_t rows = start.row_scales.size();
  columns_ = std::max<std::size_t>(rows == 0 ? codes_.size() : codes_.size() / rows, 1);
  if (rows == 0) {
    return;
  }
  unit_ = root_mean_square(row_scales_.scales());
  const CodeCounts counts = code_counts(codes_);
  double squares = 0.0;
  for (std::size_t j = 0; j < centroids_.size(); ++j) {
    squares += static_cast<double>(counts[j]) * std::pow(static_cast<double>(centroids_[j]), 2);
  }
  if (squares > 0.0) {
    typical_ = std::sqrt(squares / static_cast<double>(codes_.size()));
  }
}

TrainedCodebook::TrainedCodebook(const Shape& shape, const QuantizedValues& start,
                                 std::span<const float> original, const FreeCodesOptions& options)
    : TrainedCodebook(shape, start) {
  if (!original.empty() && original.size() != codes_.size()) {
    throw ConfigError(std::to_string(original.size()) + " original weights, expected " +
                      std::to_string(codes_.size()));
  }
  std::vector<float> weights(original.begin(), original.end());
  each_row(0, weights.size(), [&](std::size_t first, std::size_t last, float scale) {
    for (std::size_t i = first; i < last; ++i) {
      weights[i] /= scale;
    }
  });
  free_.emplace(codes_, rows_of(shape), centroids_, weights, options);
}

// Calls body(first, last, scale) for the parts of rows that make up elements [begin, end).
template <typename Body>
void TrainedCodebook::each_row(std::size_t begin, std::size_t end, const Body& body) const {
  while (begin < end) {
    const std::size_t row = begin / columns_;
    const std::size_t last = std::min(end, (row + 1) * columns_);
    body(begin, last, scale_of_row(row));
    begin = last;
  }
}

float TrainedCodebook::scale_of_row(std::size_t row) const {
  return has_row_scales() ? row_scales_.scales()[row] : 1.0f;
}

// The gradient by the logarithms of the scales, times `scale`.
std::vector<float> TrainedCodebook::row_gradient(std::span<const float> gradient,
                                                 double scale) const {
  std::vector<float> result(row_scales_.scales().size());
  split_work(result.size(), static_cast<double>(codes_.size()),
             [&](std::size_t first, std::size_t last) {
               for (std::size_t row = first; row < last; ++row) {
                 double sum = 0.0;
                 for (std::size_t i = row * columns_; i < (row + 1) * columns_; ++i) {
                   sum += static_cast<double>(gradient[i]) * centroids_[codes_[i]];
                 }
                 result[row] = static_cast<float>(scale * scale_of_row(row) * sum);
               }
             });
  return result;
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
  if (free_ || zero_ == centroids_.size()) {
    return squared_norm(gradient, [](std::size_t) { return true; });
  }
  const auto zero = static_cast<std::uint8_t>(zero_);
  return squared_norm(gradient, [&](std::size_t i) { return codes_[i] != zero; });
}

void TrainedCodebook::step(std::span<const float> gradient, const TrainingStep& step) {
  const double learning_rate = step.learning_rate / unit_;
  const std::size_t count = centroids_.size();
  std::vector<double> sums(chunk_count(codes_.size()) * count);
  const std::vector<float> row_sums = row_gradient(gradient, step.gradient_scale);
  if (free_) {
    free_->begin_step();
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
    if (free_) {
      free_->step_part(begin, std::span(scaled).first(end - begin), learning_rate);
    }
  });
  centroid_adam_.step(centroids_, centroid_gradient(sums), learning_rate);
  row_scales_.step(row_sums, learning_rate / typical_);
  if (free_) {
    order_centroids();
    free_->choose(centroids_, codes_);
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

double TrainedCodebook::code_bits(float price_factor) const {
  QuantizedValues chosen{.centroids = centroids_, .codes = codes_};
  free_->choose(centroids_, price_factor, chosen.codes);
  tidy_codebook(chosen);
  return coded_bits(chosen.codes, rows_of(shape_), chosen.centroids);
}

void TrainedCodebook::count_codes() {
  free_->count(codes_, centroids_);
}

void TrainedCodebook::set_price_factor(float price_factor) {
  free_->set_price_factor(price_factor);
  free_->choose(centroids_, codes_);
}

Tensor TrainedCodebook::tensor() const {
  QuantizedValues quantized{.centroids = centroids_,
                            .codes = codes_,
                            .row_scales = {row_scales_.codes().begin(), row_scales_.codes().end()}};
  for (std::size_t j = 0; j < centroids_.size(); ++j) {
    quantized.centroids[j] = j == zero_ ? 0.0f : round_centroid(centroids_[j]);
  }
  tidy_codebook(quantized);
  return {shape_, std::move(quantized)};
}

TrainingState TrainedCodebook::state() const {
  TrainingState state = {centroids_};
  append(state, centroid_adam_.state());
  if (free_) {
    std::ranges::copy(free_->state(), std::back_inserter(state));
  }
  if (has_row_scales()) {
    std::ranges::copy(row_scales_.state(), std::back_inserter(state));
  }
  return state;
}

void TrainedCodebook::restore(const TrainingState& state) {
  const std::size_t count = centroids_.size();
  std::vector<std::size_t> sizes = {count, count, count, 1};
  const std::size_t first_of_codes = sizes.size();
  if (free_) {
    std::ranges::copy(free_->state_sizes(), std::back_inserter(sizes));
  }
  const std::size_t first_of_rows = sizes.size();
  if (has_row_scales()) {
    std::ranges::copy(row_scales_.state_sizes(), std::back_inserter(sizes));
  }
  require_sizes(state, sizes);
  centroids_ = state[0];
  centroid_adam_.restore(adam_state(state, 1));
  if (free_) {
    free_->restore(state, first_of_codes);
    free_->choose(centroids_, codes_);
  }
  if (has_row_scales()) {
    row_scales_.restore(state, first_of_rows);
  }
}

}  // namespace ltz::compress
