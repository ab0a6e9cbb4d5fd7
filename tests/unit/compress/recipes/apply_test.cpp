#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "compress/codebooks/quantize.h"
#include "compress/recipes/plan.h"
#include "model/base/error.h"
#include "tests/support/wide_checkpoint.h"

// What a plan makes of a model.
using namespace ltz;
using namespace ltz::compress;

namespace {

const char* const kFc1 = "encoder.layers.0.fc1.weight";
const char* const kFc2 = "decoder.layers.0.fc2.weight";

const TensorDecision& decision_of(const CompressionPlan& plan, const std::string& name) {
  return *std::ranges::find(plan.decisions, name, &TensorDecision::name);
}

}  // namespace

TEST_CASE("the recipe says which tensors are touched") {
  const Checkpoint checkpoint = wide_checkpoint();
  Recipe recipe{.method = PruningMethod{.bits = 4, .embedding_bits = 3}};
  recipe.overrides = {{.pattern = "*", .bits = 5},
                      {.pattern = "encoder.*.fc1.*", .sparsity = 0.25},
                      {.pattern = kFc2, .keep_float = true}};
  const CompressionPlan plan = Planner(checkpoint, nullptr, recipe).at(1e-5);
  CHECK(decision_of(plan, kFc1).sparsity == 0.25);
  CHECK(decision_of(plan, kFc1).bits == 5);
  CHECK(decision_of(plan, kFc2).bits == 0);
  CHECK(decision_of(plan, kFc2).threshold == 0.0f);
  const Checkpoint compressed = apply(checkpoint, plan);
  for (const ParameterSpec& spec : parameter_specs(checkpoint.config)) {
    const Tensor& tensor = compressed.tensors.at(spec.name);
    CHECK(tensor.shape == spec.shape);
    if (spec.role != Role::kMatrix && spec.role != Role::kTable) {
      CHECK(tensor == to_float16(checkpoint.tensors.at(spec.name)));
    }
  }
  const CompressionPlan floats =
      Planner(checkpoint, nullptr,
              {.method = PruningMethod{.bits = 4, .quantize_embeddings = false}})
          .at(1e-5);
  CHECK(decision_of(floats, "encoder.embed_tokens.weight").bits == 0);
  const CompressionPlan tables =
      Planner(checkpoint, nullptr, {.method = PruningMethod{.prune_embeddings = true}}).at(1e-5);
  CHECK(decision_of(tables, "encoder.embed_tokens.weight").threshold > 0.0f);
}

TEST_CASE("a plan's codebooks are those that would be fitted to the pruned tensors") {
  const Checkpoint checkpoint = wide_checkpoint();
  for (const KMeansInit init : {KMeansInit::kLinear, KMeansInit::kDensity, KMeansInit::kRandom,
                                KMeansInit::kKMeansPlusPlus, KMeansInit::kOptimal}) {
    for (const int bits : {2, 4, 8}) {
      CompressionPlan plan =
          Planner(checkpoint, nullptr, {.method = PruningMethod{.bits = bits, .init = init}})
              .at(1e-5);
      const Checkpoint handed_on = apply(checkpoint, plan);
      for (TensorDecision& decision : plan.decisions) {
        CHECK(decision.centroids.empty() == (decision.bits == 0));
        decision.centroids.clear();
      }
      CHECK(handed_on.tensors == apply(checkpoint, plan).tensors);
    }
  }
}

TEST_CASE("what is kept float keeps its bfloat16, pruned or not") {
  Checkpoint checkpoint = wide_checkpoint();
  const std::string bias = "encoder.layers.0.fc1.bias";
  for (const std::string& name : {std::string(kFc1), bias}) {
    Tensor& tensor = checkpoint.tensors.at(name);
    std::vector<float> values(static_cast<std::size_t>(tensor.size()), 0x1p-130f);
    values[1] = 0x1p100f;  // beyond the range of float16
    tensor = dense_tensor(tensor.shape, std::move(values), Precision::kBFloat16);
  }
  CompressionPlan plan{.decisions = {{.name = kFc1, .threshold = 1.0f, .bits = 0}}};
  const Checkpoint compressed = apply(checkpoint, plan);
  CHECK(compressed.tensors.at(bias) == checkpoint.tensors.at(bias));
  std::vector<float> pruned(compressed.tensors.at(kFc1).values().size(), 0.0f);
  pruned[1] = 0x1p100f;
  CHECK(compressed.tensors.at(kFc1) ==
        dense_tensor(checkpoint.tensors.at(kFc1).shape, pruned, Precision::kBFloat16));
}

TEST_CASE("weights of more importance are quantized better") {
  const Checkpoint checkpoint = wide_checkpoint();
  const CompressionPlan plan =
      Planner(checkpoint, nullptr, {.method = PruningMethod{.bits = 3, .prune = false}}).at(0.0);
  const std::vector<float> values = checkpoint.tensors.at(kFc1).values();
  std::vector<float> importance(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    importance[i] = values[i] > 0.0f ? 10.0f : 1.0f;
  }
  const auto error = [&](const Checkpoint& quantized) {
    const std::vector<float> found = quantized.tensors.at(kFc1).values();
    double sum = 0.0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      sum += importance[i] * std::pow(values[i] - found[i], 2);
    }
    return sum;
  };
  const Checkpoint plain = apply(checkpoint, plan);
  const Checkpoint weighted = apply(checkpoint, plan, {{kFc1, importance}});
  CHECK(error(weighted) < 0.8 * error(plain));
  CHECK(weighted.tensors.at(kFc2) == plain.tensors.at(kFc2));
  CHECK_THROWS_WITH(apply(checkpoint, plan, {{kFc1, {1.0f}}}), Catch::Contains(kFc1));
}

TEST_CASE("errors of planning and applying name the tensor") {
  Checkpoint checkpoint = wide_checkpoint();
  CHECK_THROWS_WITH(apply(checkpoint, {.decisions = {{.name = "nonsense"}}}),
                    Catch::Contains("nonsense"));
  std::get<DenseValues>(checkpoint.tensors.at(kFc1).data).values[3] = std::nanf("");
  CHECK_THROWS_WITH(Planner(checkpoint, nullptr, {}), Catch::Contains(kFc1));
  CHECK_THROWS_WITH(apply(checkpoint, {}), Catch::Contains(kFc1));
  checkpoint.tensors.erase(kFc2);
  CHECK_THROWS_WITH(Planner(checkpoint, nullptr, {}), Catch::Contains(kFc2));
}
