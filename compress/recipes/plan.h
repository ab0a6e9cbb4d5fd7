#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "compress/codebooks/quantize.h"
#include "compress/codebooks/sorted_values.h"
#include "compress/recipes/recipe.h"
#include "compress/sensitivity/loss_curve.h"
#include "compress/sensitivity/sensitivity.h"
#include "compress/training/fisher.h"
#include "model/checkpoint/checkpoint.h"

namespace ltz::compress {

// What happens to one matrix or table.
struct TensorDecision {
  std::string name = {};
  double s = 0.0;          // threshold in standard deviations of the tensor
  float threshold = 0.0f;  // |weight| <= threshold becomes zero
  // Only so many of these, where there are more because some are equal: see prune_smallest.
  std::optional<std::size_t> pruned = {};
  int bits = 0;  // of the codes; 0: no codebook, float16
  KMeansInit init = KMeansInit::kLinear;
  int max_iterations = 0;
  std::uint64_t seed = 1;
  double sparsity = 0.0;         // fraction of zeros afterwards
  double estimated_bytes = 0.0;  // on disk
  // As K-means fitted them to the elements that stay, to see their size. None: apply() fits them.
  std::vector<float> centroids = {};

  // With bits.
  QuantizeOptions quantize_options() const {
    return {.bits = bits, .init = init, .max_iterations = max_iterations, .seed = seed};
  }
};

// One decision per matrix and table, in the order of parameter_specs; what is not there becomes
// float16.
struct CompressionPlan {
  std::vector<TensorDecision> decisions;
  double lambda = 0.0;                 // the common slope: loss per pruned weight
  double estimated_model_bytes = 0.0;  // without the embeddings
  double predicted_rise = 0.0;         // of the loss by what lambda prunes, as the curves say
};

// Chooses the pruning thresholds of a model (Han et al. 2015, section 3: threshold = s x standard
// deviation, s by sensitivity). Which s? Let the loss rise by r_t(e_t) when tensor t has the
// relative error e_t (LossCurve). Pruning a weight of magnitude w adds w^2 / ||W_t||^2 to e_t, so
// it costs r_t'(e_t) w^2 / ||W_t||^2. The least loss at a given number of zeros has the same cost
// lambda at the threshold of every tensor; with ||W_t||^2 = n_t sigma_t^2 this is
//
//     threshold_t = s_t sigma_t,   s_t^2 = lambda n_t / r_t'(e_t).
//
// The right side falls as the threshold rises, so each threshold is found by bisection, and lambda
// by another one for a target. Sorts all weights once, about 5 bytes of memory per weight; a
// bisection step is then fast. The plan is the same for any number of threads.
class Planner {
 public:
  // curves: null where nothing was measured: the loss then goes with the number of elements. The
  // checkpoint and the curves are not kept. Throws ConfigError, naming the tensor, for a bad
  // recipe, missing tensors and NaN.
  Planner(const Checkpoint& checkpoint, const SensitivityCurves* curves, const Recipe& recipe);

  // The plan of this slope; 0 prunes nothing but what the recipe's overrides say.
  CompressionPlan at(double lambda) const;
  // The least pruning that makes the model without embeddings, as estimated, at most this big.
  // Throws ConfigError, with the least size in reach, if max_sparsity everywhere is not enough.
  CompressionPlan for_bytes(double target_model_bytes) const;
  // The least pruning that zeros this fraction of the weights that the recipe lets it prune. Where
  // equal weights would make it far more, some of them stay. Throws ConfigError, with the highest
  // in reach, if it is above.
  CompressionPlan for_sparsity(double target) const;
  // The model bytes that the recipe asks for, if that is its target.
  std::optional<double> target_bytes(double baseline_bytes) const;
  // Whichever target the recipe has; nothing is pruned without one.
  // baseline_bytes: what paper_ratio is a ratio to.
  CompressionPlan for_recipe(double baseline_bytes) const;

 private:
  struct Entry {
    TensorDecision decision;  // all but what lambda decides; complete if !prunable
    SortedValues sorted;
    LossCurve curve;
    bool embedding = false;
    bool prunable = false;
    float highest_threshold = 0.0f;  // that of max_sparsity
  };

  // What pruning one more weight costs at this threshold.
  double cost_at(const Entry& entry, float threshold) const;
  float threshold_at(const Entry& entry, double lambda) const;
  TensorDecision decide(const Entry& entry, double lambda) const;
  // Decides to zero this fraction of a tensor, which has these values.
  void decide_on_sparsity(Entry& entry, std::span<const float> values, double sparsity) const;
  double highest_lambda() const;
  void keep_ties(CompressionPlan& plan, double target) const;

  Recipe recipe_;
  PruningMethod method_;
  std::vector<Entry> entries_;
  double float_model_bytes_ = 0.0;  // of what has no decision: biases, gains, kernels
  std::int64_t non_embedding_parameters_ = 0;
};

// The model with every tensor pruned by its decision and nothing else done to it; errors as in
// apply.
Checkpoint prune(const Checkpoint& checkpoint, const CompressionPlan& plan);

// The compressed model: every tensor of the checkpoint that the plan was made for pruned and
// quantized by its decision, all others in float16, or bfloat16 where they have that already.
// Throws ConfigError, naming the tensor, for a decision about a tensor that is not there and where
// prune, quantize and to_float16 do. The same for any number of threads.
// importance: of the elements, for weighted K-means, by tensor; those that are not there count the
// same.
Checkpoint apply(const Checkpoint& checkpoint, const CompressionPlan& plan,
                 const Importance& importance = {});

}  // namespace ltz::compress
