#pragma once

#include <functional>

// Finding how strongly to compress for a size.
namespace ltz::compress {

// Strengths that make sense. Two more take about one bit from every weight, see tunable.h.
struct StrengthRange {
  double mildest = 0.0;
  double strongest = 0.0;
};

struct SizeSearchOptions {
  double start = 0.0;  // in the range
  StrengthRange range;
  int most_trials = 6;
  double close_enough = 0.02;  // to spare, in bits per weight: no need to look further
};

struct SizeSearchResult {
  double strength = 0.0;
  bool fits = false;
};

// Looks for the mildest strength that is small enough. excess: bits per weight that there are too
// many at a strength, negative where there is room; it should fall as the strength rises. Goes by
// the slope between the last two trials, and by halves where that leads astray. Returns the mildest
// strength that was tried and fits; where none does, the strongest that was tried.
SizeSearchResult size_search(const std::function<double(double strength)>& excess,
                             const SizeSearchOptions& options);

}  // namespace ltz::compress
