#include "compress/recipes/quality_search.h"

#include <algorithm>
#include <optional>

namespace ltz::compress {
namespace {

// Among those that are accepted the smallest is best, among those that are not the one of the least
// loss.
bool better(const QualityTrial& a, const QualityTrial& b, double most_loss) {
  const bool accepted = a.loss <= most_loss;
  if (accepted != (b.loss <= most_loss)) {
    return accepted;
  }
  return accepted ? a.bytes < b.bytes : a.loss < b.loss;
}

}  // namespace

QualityTrial quality_search(const std::function<QualityTrial(double strength)>& measure,
                            const QualitySearchOptions& options) {
  std::optional<QualityTrial> accepted;  // the strongest
  std::optional<QualityTrial> refused;   // the mildest
  std::optional<QualityTrial> best;
  double strength = options.start;
  double step = options.first_step;
  for (int i = 0; i < options.most_trials; ++i) {
    const QualityTrial trial = measure(strength);
    const bool good = trial.loss <= options.most_loss;
    if (!best || better(trial, *best, options.most_loss)) {
      best = trial;
    }
    if (good) {
      accepted = trial;
    } else {
      refused = trial;
    }
    if (accepted && refused) {
      if (accepted->bytes <= (1.0 + options.tolerance) * refused->bytes) {
        break;
      }
      strength = 0.5 * (accepted->strength + refused->strength);
      continue;
    }
    if (good ? strength >= options.range.strongest : strength <= options.range.mildest) {
      break;
    }
    strength = std::clamp(strength + (good ? step : -step), options.range.mildest,
                          options.range.strongest);
    step *= 2.0;
  }
  return *best;
}

}  // namespace ltz::compress
