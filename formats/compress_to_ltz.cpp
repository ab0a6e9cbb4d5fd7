#include "formats/compress_to_ltz.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "formats/ltz.h"
#include "model/error.h"

namespace ltz::formats {
namespace {

// Looks for the lambda that a number of bits belongs to.
class LambdaSearch {
 public:
  explicit LambdaSearch(double weights) : weights_(weights) {}

  double lambda() const { return std::exp2(log_lambda_); }

  // excess: bits that there are too many with this lambda. Moves it, and returns how far off it was
  // in bits per weight.
  double report(double excess) {
    const double off = excess / weights_;
    (off > 0.0 ? low_ : high_) = log_lambda_;
    // An error falls to a quarter for every bit more that a weight gets, so its slope does too; but
    // not beyond what was tried, nor by leaps.
    constexpr double kLeap = 6.0;
    log_lambda_ += std::clamp(2.0 * off, -kLeap, kLeap);
    if (log_lambda_ <= low_ || log_lambda_ >= high_) {
      log_lambda_ = 0.5 * (low_ + high_);
    }
    return std::abs(off);
  }

  void forget_bounds() {
    low_ = -std::numeric_limits<double>::infinity();
    high_ = std::numeric_limits<double>::infinity();
  }

 private:
  double weights_;
  double log_lambda_ = -30.0;  // about where 2 bits per weight are, as sensitivities are KL in nats
  double low_ = -std::numeric_limits<double>::infinity();  // too small
  double high_ = std::numeric_limits<double>::infinity();  // large enough
};

}  // namespace

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

std::vector<std::byte> compress_to_ltz(const compress::CalibratedCompressor& compressor,
                                       double model_bytes,
                                       const compress::StageProgress& on_stage) {
  const auto weights = static_cast<double>(compressor.matrix_elements());
  LambdaSearch search(weights);
  constexpr int kEstimates = 8;
  constexpr double kEstimateTolerance = 0.01;  // bits per weight
  constexpr double kMostBits = 3.0;  // per weight: any tensor has that many; files tell the rest
  const double wanted = std::min(8.0 * model_bytes - compressor.float_bits(), kMostBits * weights);
  for (int i = 0; i < kEstimates; ++i) {
    if (search.report(compressor.estimated_bits(search.lambda()) - wanted) < kEstimateTolerance) {
      break;
    }
  }
  search.forget_bounds();  // of the estimates
  constexpr int kAttempts = 6;
  constexpr double kCloseEnough = 0.99;
  std::vector<std::byte> best;
  double best_size = 0.0;
  for (int attempt = 0; attempt < kAttempts && best_size < kCloseEnough * model_bytes; ++attempt) {
    std::vector<std::byte> bytes = encode_ltz(compressor.compress(search.lambda(), on_stage));
    const auto size = static_cast<double>(ltz_sizes(bytes).model);
    if (size <= model_bytes && size > best_size) {
      best = std::move(bytes);
      best_size = size;
    }
    constexpr double kAim = 0.997;  // a little below the limit
    search.report(8.0 * (size - kAim * model_bytes));
  }
  if (best.empty()) {
    throw ConfigError(
        fmt::format("no model of at most {:.0f} bytes without embeddings was found", model_bytes));
  }
  return best;
}

}  // namespace ltz::formats
