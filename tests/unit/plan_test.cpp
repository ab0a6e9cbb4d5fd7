#include "compress/plan.h"

#include <omp.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <random>

#include "compress/prune.h"
#include "compress/quantize.h"
#include "model/error.h"
#include "tests/unit/tiny_checkpoint.h"

using namespace ltz;
using namespace ltz::compress;

namespace {

const char* const kFc1 = "encoder.layers.0.fc1.weight";
const char* const kFc2 = "decoder.layers.0.fc2.weight";

// The tiny model, 64 channels wide, with bell-shaped weights of a different size in every tensor.
Checkpoint wide_checkpoint() {
  Checkpoint checkpoint = tiny_checkpoint(1);
  for (StackConfig* stack : {&checkpoint.config.encoder, &checkpoint.config.decoder}) {
    stack->embed_dim = 64;
    stack->ffn_embed_dim = 96;
    for (BranchConfig& branch : stack->branches) {
      branch.channels = 32;
    }
  }
  checkpoint.tensors.clear();
  std::mt19937 generator(5);
  double scale = 0.05;
  for (const ParameterSpec& spec : parameter_specs(checkpoint.config)) {
    std::vector<float> values(static_cast<std::size_t>(element_count(spec.shape)));
    for (float& value : values) {
      double sum = 0.0;
      for (int i = 0; i < 4; ++i) {
        sum += static_cast<double>(generator()) * 0x1p-32 - 0.5;
      }
      value = static_cast<float>(sum * scale);
    }
    checkpoint.tensors[spec.name] = dense_tensor(spec.shape, std::move(values));
    scale = scale < 0.5 ? scale * 1.1 : 0.05;
  }
  return checkpoint;
}

// Curves with quality = 5 + rise(tensor name, relative error) at the usual sparsities.
template <typename Rise>
SensitivityCurves synthetic_curves(const Checkpoint& checkpoint, const Rise& rise) {
  const SensitivityOptions options{.bits = {}};
  const Measurement measurement{
      "nll", 5.0, [&](const std::string& name, const Tensor& replacement) {
        return 5.0 + rise(name, relative_error(checkpoint.tensors.at(name).values(),
                                               replacement.values()));
      }};
  return analyse(checkpoint, options, measurement);
}

// Different for every name, from 1 to 2.8: none is below a quarter of the median.
double alpha_of(const std::string& name) {
  unsigned sum = 0;
  for (const char c : name) {
    sum = sum * 31 + static_cast<unsigned char>(c);
  }
  return std::pow(2.0, static_cast<double>(sum % 150) / 100.0);
}

SensitivityPoint point(double error, double quality) {
  return {.tensor = "t", .relative_error = error, .quality = quality};
}

const TensorDecision& decision_of(const CompressionPlan& plan, const std::string& name) {
  return *std::ranges::find(plan.decisions, name, &TensorDecision::name);
}

bool same(const CompressionPlan& a, const CompressionPlan& b) {
  return std::ranges::equal(a.decisions, b.decisions, [](const auto& x, const auto& y) {
    return x.name == y.name && x.threshold == y.threshold && x.bits == y.bits &&
           x.estimated_bytes == y.estimated_bytes;
  });
}

}  // namespace

TEST_CASE("a linear curve has one slope, a convex one bends, noise is flattened") {
  const std::vector<SensitivityPoint> linear{point(0.1, 1.2), point(0.2, 1.4)};
  CHECK(linear_slope(linear, 1.0) == Approx(2.0));
  const LossCurve straight = fit_loss_curve(linear, 1.0, 0.1);
  CHECK(straight.slopes.front() == Approx(2.0));
  CHECK(straight.slopes.back() == Approx(2.0));
  CHECK(straight.rise(0.5) == Approx(1.0));

  const std::vector<SensitivityPoint> convex{point(0.5, 4.0), point(0.1, 1.1), point(0.1, 9.0)};
  const LossCurve bent = fit_loss_curve(convex, 1.0, 0.1);
  REQUIRE(bent.slopes.size() == 2);
  CHECK(bent.ends[0] == Approx(0.1));
  CHECK(bent.slopes[0] == Approx(1.0));
  CHECK(bent.slopes[1] == Approx(2.9 / 0.4));
  CHECK(bent.rise(0.1) == Approx(0.1));
  CHECK(bent.rise(0.3) == Approx(0.1 + 0.2 * 2.9 / 0.4));

  const std::vector<SensitivityPoint> noisy{point(0.1, 1.3), point(0.2, 1.2), point(0.3, 1.6)};
  const LossCurve hull = fit_loss_curve(noisy, 1.0, 0.1);
  REQUIRE(hull.slopes.size() == 2);
  CHECK(hull.slopes[0] == Approx(1.0));
  CHECK(hull.slopes[1] == Approx(4.0));
  const std::vector<SensitivityPoint> better{point(0.1, 0.9), point(0.2, 0.8)};
  CHECK(fit_loss_curve(better, 1.0, 0.1).slopes == std::vector<double>{0.1});
  CHECK(fit_loss_curve({}, 1.0, 0.3).slopes == std::vector<double>{0.3});
  CHECK(linear_slope({}, 1.0) == 0.0);
}

TEST_CASE("linear curves give s = sqrt(lambda n / alpha)") {
  const Checkpoint checkpoint = wide_checkpoint();
  const SensitivityCurves curves = synthetic_curves(
      checkpoint, [](const std::string& name, double e) { return alpha_of(name) * e; });
  const Planner planner(checkpoint, &curves, {.max_sparsity = 1.0});
  const double lambda = 2e-5;
  for (const TensorDecision& decision : planner.at(lambda).decisions) {
    const Tensor& tensor = checkpoint.tensors.at(decision.name);
    if (decision.name.find("embed") == std::string::npos) {
      const double alpha = alpha_of(decision.name);
      const double s = std::sqrt(lambda * static_cast<double>(tensor.size()) / alpha);
      CHECK(decision.s == Approx(s).epsilon(0.03));  // ||W||^2 = n sigma^2 but for the mean
      CHECK(decision.sparsity == sparsity(prune(tensor, decision.threshold).values()));
    } else {
      CHECK(decision.threshold == 0.0f);
    }
  }
}

TEST_CASE("at the planned optimum all tensors have the same slope") {
  // Loss alpha (e + 4 e^2): the slope alpha (1 + 8 e) depends on the operating point.
  const Checkpoint checkpoint = wide_checkpoint();
  const SensitivityCurves curves = synthetic_curves(
      checkpoint,
      [](const std::string& name, double e) { return alpha_of(name) * (e + 4.0 * e * e); });
  const CompressionPlan plan =
      Planner(checkpoint, &curves, {.max_sparsity = 1.0}).for_sparsity(0.5);
  CHECK(plan.predicted_rise > 0.0);
  for (const TensorDecision& decision : plan.decisions) {
    if (decision.threshold == 0.0f) {
      continue;
    }
    const std::vector<float> values = checkpoint.tensors.at(decision.name).values();
    const std::vector<float> zeros(values.size(), 0.0f);
    const SortedValues sorted(values);
    const double error = sorted.squares_within(decision.threshold) / sorted.norm_squared();
    const double cost = alpha_of(decision.name) * (1.0 + 8.0 * error) * decision.threshold *
                        decision.threshold / sorted.norm_squared();
    INFO(decision.name);
    CHECK(cost == Approx(plan.lambda).epsilon(0.35));  // the measured curve has few segments
  }
}

TEST_CASE("a plan by sensitivity loses less than the same s everywhere") {
  const Checkpoint checkpoint = wide_checkpoint();
  const SensitivityCurves curves = synthetic_curves(
      checkpoint, [](const std::string& name, double e) { return alpha_of(name) * e; });
  const auto loss = [&](const CompressionPlan& plan) {
    double total = 0.0;
    for (const TensorDecision& decision : plan.decisions) {
      const SortedValues sorted(checkpoint.tensors.at(decision.name).values());
      total += alpha_of(decision.name) * sorted.squares_within(decision.threshold) /
               sorted.norm_squared();
    }
    return total;
  };
  const CompressionPlan informed = Planner(checkpoint, &curves, {}).for_sparsity(0.4);
  const CompressionPlan uniform = Planner(checkpoint, nullptr, {}).for_sparsity(0.4);
  CHECK(loss(informed) < loss(uniform));
  CHECK(informed.predicted_rise == Approx(loss(informed)).epsilon(0.05));
}

TEST_CASE("without curves s is the same everywhere") {
  const CompressionPlan plan = Planner(wide_checkpoint(), nullptr, {}).for_sparsity(0.3);
  const double s = decision_of(plan, kFc1).s;
  CHECK(s > 0.0);
  for (const TensorDecision& decision : plan.decisions) {
    CHECK((decision.threshold == 0.0f || decision.s == Approx(s).epsilon(0.05)));
  }
}

TEST_CASE("a tensor that improves the score when damaged is not pruned away") {
  const Checkpoint checkpoint = wide_checkpoint();
  const SensitivityCurves curves = synthetic_curves(
      checkpoint, [](const std::string& name, double e) { return name == kFc1 ? -e : e; });
  const CompressionPlan plan = Planner(checkpoint, &curves, {.max_sparsity = 1.0}).at(1e-5);
  const double typical = std::sqrt(1e-5 * 64 * 96);
  CHECK(decision_of(plan, kFc1).s == Approx(2.0 * typical).epsilon(0.05));
  CHECK(decision_of(plan, kFc2).s == Approx(typical).epsilon(0.05));
}

TEST_CASE("a target in bytes is met, and the estimate is the size of the codes") {
  const Checkpoint checkpoint = wide_checkpoint();
  for (const KMeansInit init : {KMeansInit::kLinear, KMeansInit::kOptimal}) {
    const Planner planner(checkpoint, nullptr, {.bits = 4, .embedding_bits = 4, .init = init});
    const double unpruned = planner.at(0.0).estimated_model_bytes;
    CHECK(planner.for_bytes(unpruned).lambda == 0.0);
    const CompressionPlan plan = planner.for_bytes(0.8 * unpruned);
    CHECK(plan.estimated_model_bytes <= 0.8 * unpruned);
    CHECK(plan.estimated_model_bytes >= 0.79 * unpruned);
    const Checkpoint compressed = apply(checkpoint, plan);
    for (const TensorDecision& decision : plan.decisions) {
      const Tensor& tensor = compressed.tensors.at(decision.name);
      REQUIRE(tensor.quantized() == (decision.bits > 0));
      CHECK(sparsity(tensor.values()) == Approx(decision.sparsity));
      if (tensor.quantized()) {
        const auto& quantized = std::get<QuantizedValues>(tensor.data);
        const double bytes = code_entropy(quantized) * static_cast<double>(tensor.size()) / 8.0 +
                             2.7 * static_cast<double>(quantized.centroids.size()) + 24.0;
        CHECK(decision.estimated_bytes == Approx(bytes).epsilon(0.02));
      }
    }
  }
}

TEST_CASE("a target out of reach says what can be reached") {
  const Checkpoint checkpoint = wide_checkpoint();
  const Planner planner(checkpoint, nullptr, {.bits = 4, .max_sparsity = 0.5});
  CHECK_THROWS_WITH(planner.for_bytes(100.0),
                    Catch::Contains("100 bytes") && Catch::Contains("out of reach"));
  CHECK_THROWS_AS(planner.for_sparsity(0.6), ConfigError);
  CHECK_NOTHROW(planner.for_sparsity(0.5));
  CHECK_THROWS_AS(Planner(checkpoint, nullptr, {.prune = false}).for_bytes(100.0), ConfigError);
}

TEST_CASE("no tensor is pruned beyond max_sparsity") {
  const Planner planner(wide_checkpoint(), nullptr, {.bits = 4, .max_sparsity = 0.6});
  for (const TensorDecision& decision : planner.at(1e6).decisions) {
    CHECK(decision.sparsity <= 0.6);
    CHECK((decision.threshold == 0.0f || decision.sparsity > 0.59));
  }
}

TEST_CASE("the recipe says which tensors are touched") {
  const Checkpoint checkpoint = wide_checkpoint();
  Recipe recipe{.bits = 4, .embedding_bits = 3};
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
      Planner(checkpoint, nullptr, {.bits = 4, .quantize_embeddings = false}).at(1e-5);
  CHECK(decision_of(floats, "encoder.embed_tokens.weight").bits == 0);
  const CompressionPlan tables = Planner(checkpoint, nullptr, {.prune_embeddings = true}).at(1e-5);
  CHECK(decision_of(tables, "encoder.embed_tokens.weight").threshold > 0.0f);
}

TEST_CASE("a recipe's own target") {
  const Checkpoint checkpoint = wide_checkpoint();
  std::int64_t parameters = 0;
  for (const ParameterSpec& spec : parameter_specs(checkpoint.config)) {
    parameters += spec.component == Component::kEmbedding ? 0 : element_count(spec.shape);
  }
  const auto planned = [&](const Recipe& recipe) {
    return Planner(checkpoint, nullptr, recipe).for_recipe(1e6);
  };
  const CompressionPlan bits = planned({.bits = 4, .bits_per_weight = 3.6});
  CHECK(bits.estimated_model_bytes ==
        Approx(3.6 * static_cast<double>(parameters) / 8.0).epsilon(0.01));
  CHECK(planned({.bits = 4, .paper_ratio = 50.0}).estimated_model_bytes <= 20000.0);
  CHECK(planned({.bits = 4}).lambda == 0.0);
  CHECK(planned({.bits = 4, .sparsity = 0.5}).lambda > 0.0);
}

TEST_CASE("plans and compressed models do not depend on the number of threads") {
  const Checkpoint checkpoint = wide_checkpoint();
  const SensitivityCurves curves = synthetic_curves(
      checkpoint, [](const std::string& name, double e) { return alpha_of(name) * e; });
  const Recipe recipe{.bits = 4, .init = KMeansInit::kKMeansPlusPlus, .bits_per_weight = 3.5};
  omp_set_num_threads(1);
  const CompressionPlan one = Planner(checkpoint, &curves, recipe).for_recipe(0.0);
  const Checkpoint compressed = apply(checkpoint, one);
  for (const int threads : {2, 5}) {
    omp_set_num_threads(threads);
    const CompressionPlan several = Planner(checkpoint, &curves, recipe).for_recipe(0.0);
    CHECK(same(one, several));
    CHECK(apply(checkpoint, several).tensors == compressed.tensors);
  }
  omp_set_num_threads(omp_get_num_procs());
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
