#include "compress/recipes/retraining.h"

#include <algorithm>

#include "compress/recipes/size_estimates.h"

namespace ltz::compress {
namespace {

// Share of the epochs that the weights get where they are trained before the centroids: they win
// back what pruning took, which is more than what quantization took.
constexpr double kShareOfWeights = 2.0 / 3.0;

// Share of the bytes of floats and centroids by which a file may grow, as trained values may be
// packed worse. On tatoeba-160 a file gained a fiftieth of this.
constexpr double kGrowth = 0.02;

bool prunes(const Recipe& recipe) {
  return recipe.pruning() != nullptr &&
         (recipe.pruning()->prune ||
          std::ranges::any_of(recipe.overrides, [](const Override& special) {
            return special.sparsity.value_or(0.0) > 0.0;
          }));
}

RetrainingStage stage_of(std::string what, const FinetuneOptions& all, double share) {
  RetrainingStage stage{.what = std::move(what), .options = all};
  stage.options.epochs *= share;
  stage.options.minutes *= share;
  return stage;
}

// The original, pruned where the compressed model is.
Checkpoint with_zeros_of(const Checkpoint& compressed, const Checkpoint& original) {
  Checkpoint pruned = original;
  for (const ParameterSpec& spec : parameter_specs(original.config)) {
    if (spec.role != Role::kMatrix && spec.role != Role::kTable) {
      continue;
    }
    Tensor& tensor = pruned.tensors.at(spec.name);
    std::vector<float> values = tensor.values();
    const std::vector<float> found = compressed.tensors.at(spec.name).values();
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = found[i] == 0.0f ? 0.0f : values[i];
    }
    tensor = dense_tensor(tensor.shape, values);
  }
  return pruned;
}

}  // namespace

std::vector<RetrainingStage> retraining_stages(const Recipe& recipe) {
  const FinetuneOptions& all = recipe.finetune.value();
  const std::string last = all.finetuner.tensors.free_codes ? "codes" : "centroids";
  if (!prunes(recipe)) {
    return {stage_of(last, all, 1.0)};
  }
  std::vector<RetrainingStage> stages = {stage_of("weights", all, kShareOfWeights),
                                         stage_of(last, all, 1.0 - kShareOfWeights)};
  stages.back().number = 2;
  return stages;
}

double room_for_training(const std::vector<TensorForecast>& tensors) {
  double bytes = 0.0;
  for (const TensorForecast& tensor : tensors) {
    bytes += tensor.centroids == 0 ? tensor.bytes
                                   : kFloat16Bytes * static_cast<double>(tensor.centroids);
  }
  return kGrowth * bytes;
}

Checkpoint compress_and_retrain(const TunablePlanner& planner, const Recipe& recipe,
                                const RetrainingSteps& steps) {
  const std::vector<RetrainingStage> stages = retraining_stages(recipe);
  if (stages.size() == 1) {
    return steps.train(steps.fit(planner), stages.front());
  }
  const Checkpoint weights =
      steps.train(with_zeros_of(steps.fit(planner), planner.checkpoint()), stages.front());
  return steps.train(steps.fit(planner.with(weights)), stages.back());
}

Checkpoint compress_and_retrain(const TunableCalibrated& compressor, const Recipe& recipe,
                                const RetrainingSteps& steps) {
  return steps.train(steps.fit(compressor), retraining_stages(recipe).front());
}

}  // namespace ltz::compress
