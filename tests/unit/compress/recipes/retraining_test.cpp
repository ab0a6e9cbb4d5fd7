#include "compress/recipes/retraining.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

#include "formats/ltz/ltz.h"
#include "tests/support/random_architecture.h"
#include "tests/support/tiny_checkpoint.h"

namespace ltz::compress {
namespace {

constexpr double kBaselineBytes = 1e6;
constexpr const char* kMatrix = "encoder.layers.0.fc1.weight";

// Small codebooks, as the model is small; the target is in the middle of what is in reach.
Recipe pruning_recipe(const Checkpoint& checkpoint) {
  Recipe recipe{.method = PruningMethod{.bits = 3, .embedding_bits = 3}};
  const Planner planner(checkpoint, nullptr, recipe);
  recipe.paper_ratio =
      2.0 * kBaselineBytes /
      (planner.at(0.0).estimated_model_bytes + planner.at(INFINITY).estimated_model_bytes);
  recipe.finetune = FinetuneOptions{.epochs = 6.0, .batch_tokens = 14, .learning_rate = 1e-2};
  return recipe;
}

EncodedText some_text(const ModelConfig& config) {
  return {some_sentences({4, 7, 2, 9, 1, 5}, config.source_vocabulary_size, 3),
          some_sentences({5, 3, 8, 2, 6, 4}, config.target_vocabulary_size, 5)};
}

// What went into the stages and came out, by number.
struct Trained {
  std::vector<Checkpoint> starts;
  std::vector<Checkpoint> ends;
};

RetrainingSteps some_steps(const Checkpoint& original, Trained& trained) {
  return {.train =
              [&](const Checkpoint& start, const RetrainingStage& stage) {
                CHECK(stage.number == static_cast<int>(trained.starts.size()) + 1);
                trained.starts.push_back(start);
                trained.ends.push_back(finetune(
                    {.start = start, .original = &original, .text = some_text(original.config)},
                    stage.options));
                return trained.ends.back();
              },
          .fit =
              [](const TunableCompressor& compressor) {
                return compressor.compress(compressor.start(), {});
              }};
}

const QuantizedValues& quantized(const Checkpoint& checkpoint) {
  return std::get<QuantizedValues>(checkpoint.tensors.at(kMatrix).data);
}

bool zero_where_zero(const Checkpoint& before, const Checkpoint& after) {
  const std::vector<float> a = before.tensors.at(kMatrix).values();
  const std::vector<float> b = after.tensors.at(kMatrix).values();
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] == 0.0f && b[i] != 0.0f) {
      return false;
    }
  }
  return true;
}

}  // namespace

TEST_CASE("stages share epochs and minutes out") {
  Recipe paper = preset("paper");
  paper.finetune = default_finetune(paper);
  paper.finetune->epochs = 6.0;
  paper.finetune->minutes = 30.0;
  const auto stages = retraining_stages(paper);
  REQUIRE(stages.size() == 2);
  CHECK(stages[0].what == "weights");
  CHECK(stages[1].what == "centroids");
  CHECK(stages[0].options.epochs + stages[1].options.epochs == Approx(6.0));
  CHECK(stages[0].options.minutes + stages[1].options.minutes == Approx(30.0));
  CHECK(stages[0].options.epochs > stages[1].options.epochs);
  // Without pruning there is nothing to train before the codebooks.
  paper.method = PruningMethod{.prune = false};
  CHECK(retraining_stages(paper).size() == 1);
  paper.overrides = {{.pattern = "*fc1*", .sparsity = 0.5}};
  CHECK(retraining_stages(paper).size() == 2);
  Recipe max = preset("max");
  max.finetune = default_finetune(max);
  REQUIRE(retraining_stages(max).size() == 1);
  CHECK(retraining_stages(max)[0].what == "codes");
  CHECK(retraining_stages(max)[0].options.epochs == max.finetune->epochs);
}

TEST_CASE("pruned weights stay pruned through all stages, and codes stay in the last") {
  const Checkpoint original = tiny_checkpoint(1);
  const Recipe recipe = pruning_recipe(original);
  const TunablePlanner planner(original, nullptr, recipe, kBaselineBytes);
  Trained trained;
  const Checkpoint result = compress_and_retrain(planner, recipe, some_steps(original, trained));
  REQUIRE(trained.starts.size() == 2);
  const Checkpoint pruned =
      prune(original, Planner(original, nullptr, recipe).for_recipe(kBaselineBytes));
  const std::vector<float> weights = pruned.tensors.at(kMatrix).values();
  CHECK(std::ranges::count(weights, 0.0f) > 0);
  CHECK(trained.starts[0].tensors == pruned.tensors);
  CHECK(trained.ends[0].tensors.at(kMatrix) != pruned.tensors.at(kMatrix));
  CHECK(zero_where_zero(pruned, trained.ends[0]));
  CHECK(zero_where_zero(trained.ends[0], trained.starts[1]));
  CHECK(zero_where_zero(trained.starts[1], result));
  CHECK(result.tensors == trained.ends[1].tensors);
  CHECK(quantized(result).codes == quantized(trained.starts[1]).codes);
  CHECK(quantized(result).centroids != quantized(trained.starts[1]).centroids);
  // The plan is one of the trained weights, and it meets the target.
  CHECK(trained.starts[1].tensors ==
        apply(trained.ends[0], Planner(trained.ends[0], nullptr, recipe).for_recipe(kBaselineBytes))
            .tensors);
}

TEST_CASE("a target of zeros is not pruned any further after training") {
  const Checkpoint original = tiny_checkpoint(2);
  Recipe recipe{.method = PruningMethod{.bits = 3, .embedding_bits = 3, .sparsity = 0.4}};
  recipe.finetune = FinetuneOptions{.epochs = 2.0, .batch_tokens = 14, .learning_rate = 1e-2};
  const TunablePlanner planner(original, nullptr, recipe, kBaselineBytes);
  Trained trained;
  compress_and_retrain(planner, recipe, some_steps(original, trained));
  CHECK(zero_where_zero(trained.starts[1], trained.ends[0]));
}

TEST_CASE("a file does not outgrow its room while centroids are trained") {
  const Checkpoint original = tiny_checkpoint(3);
  const Recipe recipe = pruning_recipe(original);
  const TunablePlanner planner(original, nullptr, recipe, kBaselineBytes);
  Trained trained;
  const Checkpoint result = compress_and_retrain(planner, recipe, some_steps(original, trained));
  const auto bytes = [](const Checkpoint& checkpoint) {
    return static_cast<double>(formats::ltz_sizes(formats::encode_ltz(checkpoint)).model);
  };
  CHECK(bytes(result) <=
        bytes(trained.starts[1]) + room_for_training(planner.forecast(planner.start())));
}

TEST_CASE("calibrated compression is trained behind it") {
  const Checkpoint original = tiny_checkpoint(4);
  Recipe recipe{.method = CalibratedMethod{}, .bits_per_weight = 3.0};
  recipe.finetune = FinetuneOptions{.epochs = 4.0, .batch_tokens = 14, .learning_rate = 1e-2};
  recipe.finetune->finetuner.tensors.free_codes = true;
  Transformer model(original);
  Calibration calibration{.moments = all_moments(model, {})};
  for (const auto& [name, moments] : calibration.moments) {
    calibration.sensitivities[name] = 1.0;
  }
  const TunableCalibrated compressor(original, calibration, recipe);
  Trained trained;
  const Checkpoint result = compress_and_retrain(compressor, recipe, some_steps(original, trained));
  REQUIRE(trained.starts.size() == 1);
  CHECK(trained.starts[0].tensors == compressor.compress(compressor.start(), {}).tensors);
  CHECK(result.tensors != trained.starts[0].tensors);
  CHECK(result.tensors == trained.ends[0].tensors);
}

}  // namespace ltz::compress
