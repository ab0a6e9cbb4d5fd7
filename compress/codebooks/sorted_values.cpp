#include "compress/codebooks/sorted_values.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "compress/codebooks/float_sort.h"
#include "model/base/assert.h"
#include "model/base/error.h"

namespace ltz::compress {

namespace {

void require_finite(std::span<const float> values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) {
      throw ConfigError("weight " + std::to_string(i) + " is " + std::to_string(values[i]) +
                        ", expected a finite number");
    }
  }
}

// The interval of sorted values with |value| <= threshold.
struct Interval {
  std::size_t begin;
  std::size_t end;
};

Interval within(std::span<const float> values, float threshold) {
  if (!(threshold >= 0.0f)) {
    return {0, 0};
  }
  const auto begin = std::ranges::lower_bound(values, -threshold);
  const auto end = std::upper_bound(begin, values.end(), threshold);
  return {static_cast<std::size_t>(begin - values.begin()),
          static_cast<std::size_t>(end - values.begin())};
}

float largest_magnitude(std::span<const float> values) {
  return values.empty() ? 0.0f : std::max(std::abs(values.front()), std::abs(values.back()));
}

}  // namespace

SortedValues::SortedValues(std::span<const float> values) : values_(values.begin(), values.end()) {
  require_finite(values);
  const double sum = std::accumulate(values.begin(), values.end(), 0.0);
  sort_floats(values_);
  shift_ = values_.empty() ? 0.0 : sum / static_cast<double>(values_.size());
  sum_up();
}

SortedValues::SortedValues(std::span<const float> values, std::span<const float> importance) {
  if (importance.size() != values.size()) {
    throw ConfigError("expected the importance of " + std::to_string(values.size()) +
                      " weights, found " + std::to_string(importance.size()));
  }
  require_finite(values);
  std::vector<std::pair<float, float>> pairs(values.size());
  double total = 0.0;
  double sum = 0.0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!(importance[i] > 0.0f) || !std::isfinite(importance[i])) {
      throw ConfigError("weight " + std::to_string(i) + " has the importance " +
                        std::to_string(importance[i]) + ", expected a positive number");
    }
    pairs[i] = {values[i], importance[i]};
    total += importance[i];
    sum += static_cast<double>(importance[i]) * values[i];
  }
  std::ranges::sort(pairs);
  for (const auto& [value, own] : pairs) {
    values_.push_back(value);
    importance_.push_back(own);
  }
  shift_ = values_.empty() ? 0.0 : sum / total;
  sum_up();
}

void SortedValues::sum_up() {
  blocks_.reserve(values_.size() / kBlock + 1);
  Moments total;
  for (std::size_t i = 0; i < values_.size(); ++i) {
    if (i % kBlock == 0) {
      blocks_.push_back(total);
    }
    add(total, i);
  }
  if (values_.size() % kBlock == 0) {
    blocks_.push_back(total);
  }
}

void SortedValues::add(Moments& moments, std::size_t index) const {
  const double deviation = values_[index] - shift_;
  const double importance = importance_.empty() ? 1.0 : importance_[index];
  moments.importance += importance;
  moments.sum += importance * deviation;
  moments.squares += importance * deviation * deviation;
}

Moments SortedValues::prefix(std::size_t count) const {
  Moments moments = blocks_[count / kBlock];
  for (std::size_t i = count - count % kBlock; i < count; ++i) {
    add(moments, i);
  }
  return moments;
}

double SortedValues::standard_deviation() const {
  const Moments all = prefix(size());
  return values_.empty() ? 0.0 : std::sqrt(all.squares / all.importance);
}

double SortedValues::norm_squared() const {
  const Moments all = prefix(size());
  return all.squares + all.importance * shift_ * shift_;
}

std::size_t SortedValues::count_within(float threshold) const {
  const Interval interval = within(values_, threshold);
  return interval.end - interval.begin;
}

double SortedValues::squares_within(float threshold) const {
  const auto [begin, end] = within(values_, threshold);
  const Moments moments = prefix(end) - prefix(begin);
  // sum x^2 = sum (x - m)^2 + 2 m sum (x - m) + n m^2
  const double squares =
      moments.squares + 2.0 * shift_ * moments.sum + moments.importance * shift_ * shift_;
  return std::max(squares, 0.0);
}

float SortedValues::magnitude_of_rank(std::size_t rank) const {
  LTZ_ASSERT(rank <= size());
  // By bisection over the floats from 0 on, whose bit patterns ascend with them.
  std::uint32_t low = 0;
  auto high = std::bit_cast<std::uint32_t>(largest_magnitude(values_));
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    if (count_within(std::bit_cast<float>(middle)) >= rank) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return std::bit_cast<float>(low);
}

float SortedValues::threshold_for_count(std::size_t count) const {
  LTZ_ASSERT(count <= size());
  return largest_threshold(largest_magnitude(values_),
                           [&](float threshold) { return count_within(threshold) <= count; });
}

KeptValues::KeptValues(const SortedValues& sorted) : sorted_(&sorted) {}

KeptValues::KeptValues(const SortedValues& sorted, float threshold) : sorted_(&sorted) {
  const auto [begin, end] = within(sorted.values(), threshold);
  gap_begin_ = begin;
  gap_end_ = end;
  gap_ = sorted.prefix(end) - sorted.prefix(begin);
}

Moments KeptValues::prefix(std::size_t count) const {
  return count <= gap_begin_ ? sorted_->prefix(count)
                             : sorted_->prefix(count + (gap_end_ - gap_begin_)) - gap_;
}

std::size_t KeptValues::count_up_to(double x) const {
  const std::span<const float> values = sorted_->values();
  const auto not_above = [x](float value) { return value <= x; };
  const auto place =
      static_cast<std::size_t>(std::ranges::partition_point(values, not_above) - values.begin());
  return place <= gap_begin_ ? place : place - (std::min(place, gap_end_) - gap_begin_);
}

}  // namespace ltz::compress
