#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace ltz::compress {

// Sum and sum of squares of values, each less SortedValues::shift() and times its importance.
struct Moments {
  double importance = 0.0;  // of all of them: their number where each counts 1
  double sum = 0.0;
  double squares = 0.0;

  Moments operator-(const Moments& other) const {
    return {importance - other.importance, sum - other.sum, squares - other.squares};
  }
  // Sum of the squared distances to a point, itself less the shift.
  double squared_distances(double point) const {
    return std::max(squares - 2.0 * point * sum + importance * point * point, 0.0);
  }
};

// The largest float in [0, largest] that is allowed, or 0 if none is. allowed(threshold): true up
// to some threshold and false above it.
template <typename Allowed>
float largest_threshold(float largest, const Allowed& allowed) {
  if (allowed(largest)) {
    return largest;
  }
  float low = 0.0f;
  float high = largest;
  while (true) {
    const float middle = low + (high - low) / 2.0f;
    if (!(low < middle && middle < high)) {
      return low;
    }
    if (allowed(middle)) {
      low = middle;
    } else {
      high = middle;
    }
  }
}

// The weights of a tensor in ascending order with prefix sums, made once in O(n): then the
// mean and the error of any interval cost O(1), and the place of a value O(log n). What a magnitude
// threshold removes is an interval as well, so that thresholds can be searched without sorting
// again (KeptValues below).
class SortedValues {
 public:
  // values: (n), any order; n may be 0. Throws ConfigError for NaN and infinity.
  explicit SortedValues(std::span<const float> values);
  // Values that do not all count the same: moments, and what is made of them, are weighted.
  // importance: (n), of each value. Throws ConfigError also for one that is not a positive number.
  SortedValues(std::span<const float> values, std::span<const float> importance);

  std::size_t size() const { return values_.size(); }
  // (n), ascending.
  std::span<const float> values() const { return values_; }
  // Moments of the `count` smallest values.
  Moments prefix(std::size_t count) const;
  // The mean. Moments are taken around it because the error of an interval is a difference of
  // moments, which would cancel for values far from zero.
  double shift() const { return shift_; }
  // Population standard deviation; 0 for an empty tensor.
  double standard_deviation() const;
  // Sum of the squares of the values themselves.
  double norm_squared() const;

  // Number of values with |value| <= threshold.
  std::size_t count_within(float threshold) const;
  // Sum of the squares of these values.
  double squares_within(float threshold) const;
  // The rank-th smallest magnitude, which is the smallest threshold for which count_within is at
  // least `rank`; 0 for rank 0. rank: at most size().
  float magnitude_of_rank(std::size_t rank) const;
  // The largest threshold for which count_within is at most `count`, up to the next larger
  // magnitude; with many equal magnitudes it stays below all of them. count: at most size().
  float threshold_for_count(std::size_t count) const;

 private:
  // Prefix moments are stored for every 16th value, the rest is added on request: 6 bytes per
  // weight instead of 28.
  static constexpr std::size_t kBlock = 16;

  void sum_up();
  void add(Moments& moments, std::size_t index) const;

  std::vector<float> values_;
  std::vector<float> importance_;  // in their order; empty: all 1
  std::vector<Moments> blocks_;
  double shift_ = 0.0;
};

// The values whose magnitude is above a threshold, still in ascending order: a view.
class KeptValues {
 public:
  // All values, zeros included.
  explicit KeptValues(const SortedValues& sorted);
  // Those with |value| > threshold; a threshold of 0 removes the exact zeros.
  KeptValues(const SortedValues& sorted, float threshold);

  std::size_t size() const { return sorted_->size() - (gap_end_ - gap_begin_); }
  float operator[](std::size_t index) const {
    return sorted_->values()[index < gap_begin_ ? index : index + (gap_end_ - gap_begin_)];
  }
  double shift() const { return sorted_->shift(); }
  // Moments of the `count` smallest kept values.
  Moments prefix(std::size_t count) const;
  // Number of kept values that are <= x.
  std::size_t count_up_to(double x) const;

 private:
  const SortedValues* sorted_;
  std::size_t gap_begin_ = 0;  // [gap_begin_, gap_end_) of the sorted values is removed
  std::size_t gap_end_ = 0;
  Moments gap_;
};

}  // namespace ltz::compress
