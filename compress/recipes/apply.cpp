#include <functional>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "compress/codebooks/quantize.h"
#include "compress/recipes/plan.h"
#include "compress/sensitivity/prune.h"
#include "model/base/context.h"
#include "model/base/error.h"
#include "model/base/parallel.h"

namespace ltz::compress {

namespace {

using Change = std::function<Tensor(const Tensor& original, const TensorDecision* decision)>;

// The checkpoint with every tensor changed, all at once; decision: null where the plan has none.
Checkpoint change_tensors(const Checkpoint& checkpoint, const CompressionPlan& plan,
                          const Change& change) {
  std::map<std::string, const TensorDecision*> decisions;
  for (const TensorDecision& decision : plan.decisions) {
    if (!checkpoint.tensors.contains(decision.name)) {
      throw ConfigError("no tensor " + decision.name + " in the checkpoint");
    }
    decisions[decision.name] = &decision;
  }
  std::vector<std::pair<std::string, const Tensor*>> originals;
  for (const auto& [name, tensor] : checkpoint.tensors) {
    originals.emplace_back(name, &tensor);
  }
  std::vector<Tensor> changed(originals.size());
  parallel_for(originals.size(), [&](std::size_t i) {
    const auto& [name, original] = originals[i];
    const auto found = decisions.find(name);
    const TensorDecision* decision = found == decisions.end() ? nullptr : found->second;
    changed[i] = in_context(name, [&, tensor = original] { return change(*tensor, decision); });
  });
  Checkpoint result{.config = checkpoint.config,
                    .source_vocabulary = checkpoint.source_vocabulary,
                    .target_vocabulary = checkpoint.target_vocabulary,
                    .merges = checkpoint.merges,
                    .sentencepiece = checkpoint.sentencepiece,
                    .tensors = {}};
  for (std::size_t i = 0; i < originals.size(); ++i) {
    result.tensors.emplace(originals[i].first, std::move(changed[i]));
  }
  return result;
}

Tensor prune_by(const Tensor& tensor, const TensorDecision& decision) {
  return decision.pruned ? prune_smallest(tensor, *decision.pruned)
                         : prune(tensor, decision.threshold);
}

Tensor quantize_by(const Tensor& tensor, const TensorDecision& decision,
                   const Importance& importance) {
  const std::vector<float> values = tensor.values();
  if (const auto own = importance.find(decision.name); own != importance.end()) {
    return quantize(tensor.shape, values, SortedValues(values, own->second),
                    decision.quantize_options());
  }
  return decision.centroids.empty()
             ? quantize(tensor, decision.quantize_options())
             : quantize(tensor.shape, values, std::span<const float>(decision.centroids));
}

}  // namespace

Checkpoint prune(const Checkpoint& checkpoint, const CompressionPlan& plan) {
  return change_tensors(checkpoint, plan,
                        [](const Tensor& original, const TensorDecision* decision) {
                          return decision == nullptr ? original : prune_by(original, *decision);
                        });
}

Checkpoint apply(const Checkpoint& checkpoint, const CompressionPlan& plan,
                 const Importance& importance) {
  return change_tensors(checkpoint, plan,
                        [&](const Tensor& original, const TensorDecision* decision) {
                          if (decision == nullptr) {
                            return to_16_bits(original);
                          }
                          const Tensor pruned = prune_by(original, *decision);
                          return decision->bits == 0 ? to_16_bits(pruned)
                                                     : quantize_by(pruned, *decision, importance);
                        });
}

}  // namespace ltz::compress
