#include "formats/compress_to_ltz.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "formats/ltz.h"
#include "model/error.h"

namespace ltz::formats {

std::vector<std::byte> compress_to_ltz(const Checkpoint& checkpoint,
                                       const compress::SensitivityCurves* curves,
                                       const compress::Recipe& recipe, double baseline_bytes) {
  const compress::Planner planner(checkpoint, curves, recipe);
  const auto pack = [&](const compress::CompressionPlan& plan) {
    return encode_ltz(compress::apply(checkpoint, plan));
  };
  const std::optional<double> target = planner.target_bytes(baseline_bytes);
  if (!target) {
    return pack(planner.for_recipe(baseline_bytes));
  }
  constexpr int kAttempts = 6;
  constexpr double kCloseEnough = 0.999;
  std::vector<std::byte> best;
  double best_size = 0.0;
  double budget = *target;
  for (int attempt = 0; attempt < kAttempts && best_size < kCloseEnough * *target; ++attempt) {
    const compress::CompressionPlan plan = planner.for_bytes(budget);
    std::vector<std::byte> bytes = pack(plan);
    const auto size = static_cast<double>(ltz_sizes(bytes).model);
    const bool fits = size <= *target;
    if (fits && size > best_size) {
      best = std::move(bytes);
      best_size = size;
    }
    if (fits && plan.lambda == 0.0) {
      break;  // small enough without pruning
    }
    budget += (fits ? 0.9 : 1.1) * (*target - size);
  }
  if (best.empty()) {
    throw ConfigError(
        fmt::format("recipe {}: no model of at most {:.0f} bytes without embeddings "
                    "was found",
                    recipe.name, *target));
  }
  return best;
}

}  // namespace ltz::formats
