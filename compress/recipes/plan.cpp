#include "compress/recipes/plan.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include "compress/codebooks/quantize.h"
#include "compress/recipes/size_estimates.h"
#include "compress/sensitivity/pattern.h"
#include "compress/sensitivity/prune.h"
#include "model/base/context.h"
#include "model/base/error.h"
#include "model/base/parallel.h"

namespace ltz::compress {

namespace {

// What the overrides say about a tensor, later ones first.
Override combined_override(const Recipe& recipe, const std::string& name) {
  Override combined;
  for (const Override& entry : recipe.overrides) {
    if (!matches(entry.pattern, name)) {
      continue;
    }
    if (entry.bits || entry.keep_float) {
      combined.bits = entry.bits;
      combined.keep_float = entry.keep_float;
    }
    if (entry.sparsity) {
      combined.sparsity = entry.sparsity;
    }
  }
  return combined;
}

int bits_for(const ParameterSpec& spec, const PruningMethod& method, const Override& special) {
  const bool table = spec.component == Component::kEmbedding;
  if (special.keep_float || (table && !method.quantize_embeddings && !special.bits)) {
    return 0;
  }
  const int bits = special.bits.value_or(table ? method.embedding_bits : method.bits);
  return worth_quantizing(spec, bits) ? bits : 0;
}

double sparsity_within(const SortedValues& sorted, float threshold) {
  return sorted.size() == 0 ? 0.0
                            : static_cast<double>(sorted.count_within(threshold)) /
                                  static_cast<double>(sorted.size());
}

// The least lambda in (0, highest], to within 0.1%, for which `enough` holds; it holds for highest.
template <typename Enough>
double least_lambda(double highest, const Enough& enough) {
  // Costs go with about the fourth power of the threshold: this is thresholds down to a millionth.
  double low = highest * 1e-24;
  double high = highest;
  while (high / low > 1.001) {
    const double middle = std::sqrt(low * high);
    if (enough(middle)) {
      high = middle;
    } else {
      low = middle;
    }
  }
  return high;
}

// Bytes of a tensor on disk after the decision: order-0 entropy of the codes, the codebook and the
// coder's table, the entry in the directory; or 2 bytes per element without a codebook. sorted: the
// tensor's elements.
double estimated_bytes(const SortedValues& sorted, const TensorDecision& decision) {
  const auto total = static_cast<double>(sorted.size());
  if (decision.bits == 0) {
    return kFloat16Bytes * total + kIndexBytes;
  }
  const KeptValues kept(sorted, decision.threshold);
  std::vector<std::size_t> counts = populations(kept, decision.centroids);
  const std::size_t zeros = sorted.size() - kept.size();
  if (zeros > 0) {
    counts.push_back(zeros);
  }
  double bits = 0.0;
  for (const std::size_t count : counts) {
    if (count > 0) {
      bits -= static_cast<double>(count) * std::log2(static_cast<double>(count) / total);
    }
  }
  return bits / 8.0 + kKMeansCentroidBytes * static_cast<double>(counts.size()) + kIndexBytes;
}

}  // namespace

Planner::Planner(const Checkpoint& checkpoint, const SensitivityCurves* curves,
                 const Recipe& recipe)
    : recipe_(recipe), method_(pruning_method(recipe)) {
  validate(recipe);
  const std::vector<ParameterSpec> specs = parameter_specs(checkpoint.config);
  const std::map<std::string, LossCurve> loss_curves = fit_loss_curves(specs, curves);
  std::vector<ParameterSpec> planned;
  for (const ParameterSpec& spec : specs) {
    if (!checkpoint.tensors.contains(spec.name)) {
      throw ConfigError("no tensor " + spec.name + " in the checkpoint");
    }
    const bool embedding = spec.component == Component::kEmbedding;
    const std::int64_t count = element_count(spec.shape);
    non_embedding_parameters_ += embedding ? 0 : count;
    if (loss_curves.contains(spec.name)) {
      planned.push_back(spec);
    } else if (!embedding) {
      float_model_bytes_ += kFloat16Bytes * static_cast<double>(count) + kIndexBytes;
    }
  }
  std::vector<std::optional<Entry>> entries(planned.size());
  parallel_for(planned.size(), [&](std::size_t i) {
    const ParameterSpec& spec = planned[i];
    const Override special = combined_override(recipe, spec.name);
    in_context(spec.name, [&] {
      const std::vector<float> values = checkpoint.tensors.at(spec.name).values();
      SortedValues sorted(values);
      Entry entry{.decision = {.name = spec.name,
                               .bits = bits_for(spec, method_, special),
                               .init = method_.init,
                               .max_iterations = method_.kmeans_iterations,
                               .seed = method_.seed},
                  .sorted = std::move(sorted),
                  .curve = loss_curves.at(spec.name)};
      entry.embedding = spec.component == Component::kEmbedding;
      entry.prunable = method_.prune && !special.sparsity && !special.keep_float &&
                       (spec.component != Component::kEmbedding || method_.prune_embeddings);
      const double highest = method_.max_sparsity * static_cast<double>(values.size());
      entry.highest_threshold =
          entry.sorted.threshold_for_count(static_cast<std::size_t>(std::floor(highest)));
      if (!entry.prunable) {
        decide_on_sparsity(entry, values, special.sparsity.value_or(0.0));
        entry.sorted = SortedValues(std::span<const float>());  // not needed any more
      }
      entries[i] = std::move(entry);
    });
  });
  for (std::optional<Entry>& entry : entries) {
    entries_.push_back(*std::move(entry));
  }
}

double Planner::cost_at(const Entry& entry, float threshold) const {
  const double norm = entry.sorted.norm_squared();
  const double error = entry.sorted.squares_within(threshold) / norm;
  return entry.curve.slope(error) * threshold * threshold / norm;
}

float Planner::threshold_at(const Entry& entry, double lambda) const {
  if (!entry.prunable || !(lambda > 0.0) || !(entry.sorted.norm_squared() > 0.0)) {
    return entry.decision.threshold;
  }
  // The cost of the next weight rises with the threshold.
  return largest_threshold(entry.highest_threshold,
                           [&](float threshold) { return cost_at(entry, threshold) <= lambda; });
}

TensorDecision Planner::decide(const Entry& entry, double lambda) const {
  TensorDecision decision = entry.decision;
  decision.threshold = threshold_at(entry, lambda);
  const double deviation = entry.sorted.standard_deviation();
  decision.s = deviation > 0.0 ? decision.threshold / deviation : 0.0;
  decision.sparsity = sparsity_within(entry.sorted, decision.threshold);
  if (decision.bits > 0) {
    decision.centroids =
        centroids_above(entry.sorted, decision.threshold, decision.quantize_options());
  }
  decision.estimated_bytes = estimated_bytes(entry.sorted, decision);
  return decision;
}

void Planner::decide_on_sparsity(Entry& entry, std::span<const float> values,
                                 double sparsity) const {
  const float threshold = threshold_for_sparsity(entry.sorted, sparsity);
  const std::size_t count = count_for_sparsity(values.size(), sparsity);
  const bool ties = threshold > 0.0f && entry.sorted.count_within(threshold) > count;
  entry.decision.threshold = threshold;
  entry.decision = decide(entry, 0.0);
  if (ties) {
    // What stays is not all above the threshold: size and centroids are those of the pruned values.
    const double s = entry.decision.s;
    std::vector<float> pruned(values.begin(), values.end());
    std::ranges::transform(
        pruned, mask_of_largest(values, count), pruned.begin(),
        [](float value, std::uint8_t stays) { return stays != 0 ? value : 0.0f; });
    entry.sorted = SortedValues(pruned);
    entry.decision.threshold = 0.0f;
    entry.decision = decide(entry, 0.0);
    entry.decision.s = s;
    entry.decision.threshold = threshold;
    entry.decision.pruned = count;
  }
}

CompressionPlan Planner::at(double lambda) const {
  CompressionPlan plan;
  plan.lambda = lambda;
  plan.decisions.resize(entries_.size());
  parallel_for(entries_.size(), [&](std::size_t i) {
    plan.decisions[i] = entries_[i].prunable ? decide(entries_[i], lambda) : entries_[i].decision;
  });
  plan.estimated_model_bytes = float_model_bytes_;
  for (std::size_t i = 0; i < entries_.size(); ++i) {  // in order: sums do not depend on threads
    const Entry& entry = entries_[i];
    const TensorDecision& decision = plan.decisions[i];
    plan.estimated_model_bytes += entry.embedding ? 0.0 : decision.estimated_bytes;
    const double norm = entry.sorted.norm_squared();
    if (norm > 0.0) {
      plan.predicted_rise +=
          entry.curve.rise(entry.sorted.squares_within(decision.threshold) / norm);
    }
  }
  return plan;
}

double Planner::highest_lambda() const {
  double highest = 0.0;
  for (const Entry& entry : entries_) {
    if (entry.prunable && entry.sorted.norm_squared() > 0.0) {
      highest = std::max(highest, cost_at(entry, entry.highest_threshold));
    }
  }
  return highest * 1.01;
}

CompressionPlan Planner::for_bytes(double target_model_bytes) const {
  CompressionPlan unpruned = at(0.0);
  if (unpruned.estimated_model_bytes <= target_model_bytes) {
    return unpruned;
  }
  const double highest = highest_lambda();
  CompressionPlan plan = at(highest);
  if (!(plan.estimated_model_bytes <= target_model_bytes)) {
    if (recipe_.target_yields) {
      return plan;
    }
    throw ConfigError("recipe " + recipe_.name + ": a model of " +
                      std::to_string(std::llround(target_model_bytes)) +
                      " bytes without embeddings is out of reach; with all that it may prune, at " +
                      "most " + std::to_string(method_.max_sparsity) +
                      " of each tensor, it needs about " +
                      std::to_string(std::llround(plan.estimated_model_bytes)));
  }
  // The last one that is small enough is that of the least lambda.
  least_lambda(highest, [&](double lambda) {
    CompressionPlan milder = at(lambda);
    const bool small_enough = milder.estimated_model_bytes <= target_model_bytes;
    if (small_enough) {
      plan = std::move(milder);
    }
    return small_enough;
  });
  return plan;
}

CompressionPlan Planner::for_sparsity(double target) const {
  const auto reached = [&](double lambda) {
    double zeros = 0.0;
    double total = 0.0;
    for (const Entry& entry : entries_) {
      if (entry.prunable) {
        const auto count = static_cast<double>(entry.sorted.size());
        zeros += count * sparsity_within(entry.sorted, threshold_at(entry, lambda));
        total += count;
      }
    }
    return total > 0.0 ? zeros / total : 0.0;
  };
  if (reached(0.0) >= target) {
    return at(0.0);
  }
  const double highest = highest_lambda();
  // Each tensor stops at a whole number of weights, up to one below max_sparsity of it.
  constexpr double kRounding = 1e-3;
  if (reached(highest) < target - kRounding) {
    throw ConfigError("recipe " + recipe_.name + ": a sparsity of " + std::to_string(target) +
                      " is out of reach; with at most " + std::to_string(method_.max_sparsity) +
                      " of each tensor that it may prune, it reaches " +
                      std::to_string(reached(highest)));
  }
  const double lambda =
      least_lambda(highest, [&](double lower) { return reached(lower) >= target; });
  CompressionPlan plan = at(lambda);
  if (reached(lambda) > target + kRounding) {
    keep_ties(plan, target);
  }
  return plan;
}

// Takes back from the last tensors on what is pruned beyond the target, of weights that are equal
// to a tensor's largest pruned one.
void Planner::keep_ties(CompressionPlan& plan, double target) const {
  double total = 0.0;
  double zeros = 0.0;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (entries_[i].prunable) {
      const auto count = static_cast<double>(entries_[i].sorted.size());
      total += count;
      zeros += count * plan.decisions[i].sparsity;
    }
  }
  auto surplus = static_cast<std::size_t>(std::floor(zeros - target * total));
  for (std::size_t i = entries_.size(); i-- > 0 && surplus > 0;) {
    const Entry& entry = entries_[i];
    TensorDecision& decision = plan.decisions[i];
    const std::size_t count = entry.sorted.count_within(decision.threshold);
    if (!entry.prunable || count == 0) {
      continue;
    }
    const float highest = entry.sorted.magnitude_of_rank(count);
    const std::size_t equal = count - entry.sorted.count_within(std::nextafter(highest, -1.0f));
    if (const std::size_t kept = std::min(surplus, equal); highest > 0.0f && kept > 1) {
      decision.pruned = count - kept;
      decision.sparsity =
          static_cast<double>(count - kept) / static_cast<double>(entry.sorted.size());
      decision.centroids = {};
      surplus -= kept;
    }
  }
}

std::optional<double> Planner::target_bytes(double baseline_bytes) const {
  return target_model_bytes(recipe_, non_embedding_parameters_, baseline_bytes);
}

CompressionPlan Planner::for_recipe(double baseline_bytes) const {
  if (method_.sparsity) {
    return for_sparsity(*method_.sparsity);
  }
  const std::optional<double> bytes = target_bytes(baseline_bytes);
  return bytes ? for_bytes(*bytes) : at(0.0);
}

}  // namespace ltz::compress
