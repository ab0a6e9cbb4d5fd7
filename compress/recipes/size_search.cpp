#include "compress/recipes/size_search.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

namespace ltz::compress {
namespace {

// An error falls to a quarter for every bit more that a weight gets, and so does what a bit is
// worth.
constexpr double kStrengthPerBit = 2.0;
// A slope between two trials is believed within these limits.
constexpr double kLeastPerBit = 0.5;
constexpr double kMostPerBit = 8.0;
constexpr double kLeap = 8.0;  // never further in one step

struct Trial {
  double strength = 0.0;
  double excess = 0.0;
};

double strength_per_bit(const std::optional<Trial>& before, const Trial& now) {
  if (!before || before->excess == now.excess) {
    return kStrengthPerBit;
  }
  const double slope = (before->strength - now.strength) / (now.excess - before->excess);
  return slope > 0.0 ? std::clamp(slope, kLeastPerBit, kMostPerBit) : kStrengthPerBit;
}

// Among those that fit the mildest is best, among those that do not the strongest.
bool better(const SizeSearchResult& a, const SizeSearchResult& b) {
  if (a.fits != b.fits) {
    return a.fits;
  }
  return a.fits ? a.strength < b.strength : a.strength > b.strength;
}

}  // namespace

SizeSearchResult size_search(const std::function<double(double strength)>& excess,
                             const SizeSearchOptions& options) {
  const auto [mildest, strongest] = options.range;
  double too_large = -std::numeric_limits<double>::infinity();
  double small_enough = std::numeric_limits<double>::infinity();
  SizeSearchResult best{.strength = -std::numeric_limits<double>::infinity(), .fits = false};
  std::optional<Trial> before;
  double strength = options.start;
  for (int i = 0; i < options.most_trials; ++i) {
    const Trial trial{strength, excess(strength)};
    const bool fits = trial.excess <= 0.0;
    if (const SizeSearchResult found{strength, fits}; better(found, best)) {
      best = found;
    }
    const bool at_end = fits ? strength <= mildest : strength >= strongest;
    if (at_end || (fits && trial.excess >= -options.close_enough)) {
      break;
    }
    if (fits) {
      small_enough = strength;
    } else {
      too_large = strength;
    }
    // A third of what may be left over is left over.
    const double wanted = trial.excess + options.close_enough / 3.0;
    strength += std::clamp(wanted * strength_per_bit(before, trial), -kLeap, kLeap);
    if (std::isfinite(too_large) && std::isfinite(small_enough) &&
        (strength <= too_large || strength >= small_enough)) {
      strength = 0.5 * (too_large + small_enough);
    }
    strength = std::clamp(strength, mildest, strongest);
    before = trial;
  }
  return best;
}

}  // namespace ltz::compress
