#include "compress/recipes/quality_search.h"

#include <algorithm>
#include <optional>

namespace ltz::compress {

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
    const auto better = [&](const QualityTrial& other) {
      const bool other_good = other.loss <= options.most_loss;
      return good != other_good ? good : good ? trial.bytes < other.bytes : trial.loss < other.loss;
    };
    if (!best || better(*best)) {
      best = trial;
    }
    (good ? accepted : refused) = trial;
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
