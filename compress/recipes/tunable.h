#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "compress/recipes/calibrated.h"
#include "compress/recipes/plan.h"
#include "compress/recipes/size_search.h"
#include "model/base/progress.h"

// One global knob for every way to compress.
namespace ltz::compress {

// What is foreseen for one tensor.
struct TensorForecast {
  std::string name;
  std::string method;         // "uniform", "k-means", "pruned + k-means", "float16", …
  std::size_t centroids = 0;  // at most; 0 without a codebook
  double sparsity = 0.0;      // fraction of zeros
  double bytes = 0.0;         // on disk, its entry in the index included
  double divergence = 0.0;    // that comes from its error, in nats; 0 where nothing was measured
};

// A model that can be compressed at any strength: log2 of what a bit is worth. As an error falls to
// a quarter for every bit more that a weight gets, two more of it take about one bit from every
// weight.
class TunableCompressor {
 public:
  virtual ~TunableCompressor() = default;

  // Every tensor of the model, in the order of parameter_specs.
  virtual std::vector<TensorForecast> forecast(double strength) const = 0;
  // The compressed model; on_stage may be empty. The same for any number of threads.
  virtual Checkpoint compress(double strength, const Progress& on_stage) const = 0;
  virtual StrengthRange range() const = 0;
  // Where to begin looking; what the recipe asks for, if that is known without looking.
  virtual double start() const = 0;
};

// Pruning and K-means: the planner's budget of bytes is the knob, -2 x the bits per weight of the
// model without embeddings.
class TunablePlanner : public TunableCompressor {
 public:
  // The checkpoint and the curves outlive the planner. Throws as Planner and its for_recipe do:
  // start() is the recipe's own target, and if that is a sparsity, the mildest.
  TunablePlanner(const Checkpoint& checkpoint, const SensitivityCurves* curves,
                 const Recipe& recipe, double baseline_bytes);

  std::vector<TensorForecast> forecast(double strength) const override;
  Checkpoint compress(double strength, const Progress& on_stage) const override;
  StrengthRange range() const override { return range_; }
  double start() const override { return start_; }

  const Checkpoint& checkpoint() const { return checkpoint_; }
  // By the same recipe and curves, of other weights, which outlive it.
  TunablePlanner with(const Checkpoint& checkpoint) const;

 private:
  double strength_of(const CompressionPlan& plan) const;
  const CompressionPlan& plan_at(double strength) const;

  const Checkpoint& checkpoint_;
  const SensitivityCurves* curves_;
  Recipe recipe_;
  double baseline_bytes_ = 0.0;
  Planner planner_;
  double weights_ = 0.0;  // parameters without embeddings
  CompressionPlan own_;   // of the recipe
  CompressionPlan mildest_;
  CompressionPlan strongest_;
  StrengthRange range_;
  double start_ = 0.0;
  mutable std::optional<std::pair<double, CompressionPlan>> last_;
};

// Second-order rounding: log2 of its lambda is the knob.
class TunableCalibrated : public TunableCompressor {
 public:
  // Checkpoint and calibration outlive it. Throws as CalibratedCompressor does.
  TunableCalibrated(const Checkpoint& checkpoint, const Calibration& calibration,
                    const Recipe& recipe);

  std::vector<TensorForecast> forecast(double strength) const override;
  Checkpoint compress(double strength, const Progress& on_stage) const override;
  // Sensitivities are KL in nats: the weights take more than 7 bits at one end and none at the
  // other, whatever the model, and about 2 at the start.
  static constexpr StrengthRange kRange = {.mildest = -44.0, .strongest = 8.0};
  static constexpr double kStart = -29.0;
  StrengthRange range() const override { return kRange; }
  double start() const override { return kStart; }

 private:
  const Checkpoint& checkpoint_;
  CalibratedCompressor compressor_;
  mutable std::map<double, std::vector<TensorForecast>> forecasts_;  // searches come by again
};

}  // namespace ltz::compress
