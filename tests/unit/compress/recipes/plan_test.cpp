#include "compress/recipes/plan.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "compress/codebooks/quantize.h"
#include "compress/sensitivity/pattern.h"
#include "compress/sensitivity/prune.h"
#include "model/base/error.h"
#include "tests/support/thread_count.h"
#include "tests/support/wide_checkpoint.h"

using namespace ltz;
using namespace ltz::compress;

namespace {

const char* const kFc1 = "encoder.layers.0.fc1.weight";
const char* const kFc2 = "decoder.layers.0.fc2.weight";

// Curves with quality = 5 + the sum of rise(tensor name, relative error) at the usual sparsities;
// without groups, of single tensors.
template <typename Rise>
SensitivityCurves synthetic_curves(const Checkpoint& checkpoint, const Rise& rise,
                                   const std::vector<std::string>& groups = {}) {
  const SensitivityOptions options{.bits = {}, .groups = groups};
  const Measurement measurement{
      "nll", 5.0, [&](const Replacements& replacements) {
        double quality = 5.0;
        for (const auto& [name, replacement] : replacements) {
          quality += rise(
              name, relative_error(checkpoint.tensors.at(name).values(), replacement.values()));
        }
        return quality;
      }};
  return analyse(checkpoint, options, measurement);
}

// Different for every name, from 1 to 2.8.
double alpha_of(const std::string& name) {
  unsigned sum = 0;
  for (const char c : name) {
    sum = sum * 31 + static_cast<unsigned char>(c);
  }
  return std::pow(2.0, static_cast<double>(sum % 150) / 100.0);
}

double rise_of(const std::string& name, double error) {
  return alpha_of(name) * std::pow(error, 5.0 / 3.0);
}

double error_within(const SortedValues& sorted, float threshold) {
  return sorted.squares_within(threshold) / sorted.norm_squared();
}

// What the next weight costs in units of alpha: r'(e) threshold^2 / ||W||^2 for r = e^(5/3).
double unit_cost(const SortedValues& sorted, float threshold) {
  return 5.0 / 3.0 * std::pow(error_within(sorted, threshold), 2.0 / 3.0) * threshold * threshold /
         sorted.norm_squared();
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

TEST_CASE("s^2 = lambda n / r'(e)") {
  const Checkpoint checkpoint = wide_checkpoint();
  const SensitivityCurves curves = synthetic_curves(checkpoint, rise_of);
  const Planner planner(checkpoint, &curves, {.method = PruningMethod{.max_sparsity = 1.0}});
  const double lambda = 2e-5;
  for (const TensorDecision& decision : planner.at(lambda).decisions) {
    INFO(decision.name);
    const Tensor& tensor = checkpoint.tensors.at(decision.name);
    if (decision.name.find("embed") == std::string::npos) {
      const double error = error_within(SortedValues(tensor.values()), decision.threshold);
      const double slope = 5.0 / 3.0 * alpha_of(decision.name) * std::pow(error, 2.0 / 3.0);
      const double s = std::sqrt(lambda * static_cast<double>(tensor.size()) / slope);
      CHECK(decision.s > 0.0);
      CHECK(decision.s == Approx(s).epsilon(0.03));  // ||W||^2 = n sigma^2 but for the mean
      CHECK(decision.sparsity == sparsity(prune(tensor, decision.threshold).values()));
    } else {
      CHECK(decision.threshold == 0.0f);
    }
  }
}

TEST_CASE("at the planned optimum the next weight costs the same in all tensors") {
  const Checkpoint checkpoint = wide_checkpoint();
  const SensitivityCurves curves = synthetic_curves(checkpoint, rise_of);
  const CompressionPlan plan =
      Planner(checkpoint, &curves, {.method = PruningMethod{.max_sparsity = 1.0}})
          .for_sparsity(0.5);
  CHECK(plan.predicted_rise > 0.0);
  int pruned = 0;
  for (const TensorDecision& decision : plan.decisions) {
    if (decision.threshold == 0.0f) {
      continue;
    }
    ++pruned;
    INFO(decision.name);
    const SortedValues sorted(checkpoint.tensors.at(decision.name).values());
    const double alpha = alpha_of(decision.name);
    const float above = std::nextafter(decision.threshold, 1e9f);
    CHECK(alpha * unit_cost(sorted, decision.threshold) == Approx(plan.lambda).epsilon(0.03));
    CHECK(alpha * unit_cost(sorted, decision.threshold) <= plan.lambda * (1.0 + 1e-6));
    CHECK(alpha * unit_cost(sorted, above) >= plan.lambda * (1.0 - 1e-6));
  }
  CHECK(pruned == std::ranges::count(parameter_specs(checkpoint.config), Role::kMatrix,
                                     &ParameterSpec::role));
}

TEST_CASE("equal weights do not make a plan prune more than it says") {
  // Every matrix has two magnitudes, like one of 1-bit codebooks.
  Checkpoint checkpoint = wide_checkpoint();
  for (auto& [name, tensor] : checkpoint.tensors) {
    std::vector<float> values = tensor.values();
    for (float& value : values) {
      value = value < 0.0f ? -0.5f : 0.25f;
    }
    tensor = dense_tensor(tensor.shape, values);
  }
  const auto zeros = [&](const CompressionPlan& plan) {
    double total = 0.0;
    double pruned = 0.0;
    const Checkpoint result = prune(checkpoint, plan);
    for (const TensorDecision& decision : plan.decisions) {
      const std::vector<float> values = result.tensors.at(decision.name).values();
      CAPTURE(decision.name);
      CHECK(decision.sparsity == Approx(sparsity(values)));
      if (decision.name.find("embed") == std::string::npos) {
        total += static_cast<double>(values.size());
        pruned += decision.sparsity * static_cast<double>(values.size());
      }
    }
    return pruned / total;
  };
  Recipe fixed{.method = PruningMethod{.bits = 2}};
  fixed.overrides = {{.pattern = "*", .sparsity = 0.05}};
  const CompressionPlan each = Planner(checkpoint, nullptr, fixed).at(0.0);
  CHECK(zeros(each) == Approx(0.05).epsilon(0.02));
  CHECK(sparsity(apply(checkpoint, each).tensors.at(each.decisions[0].name).values()) ==
        Approx(each.decisions[0].sparsity));
  const SensitivityCurves curves = synthetic_curves(checkpoint, rise_of);
  const Recipe planned{.method = PruningMethod{.max_sparsity = 1.0}};
  const CompressionPlan all = Planner(checkpoint, &curves, planned).for_sparsity(0.05);
  CHECK(zeros(all) == Approx(0.05).epsilon(0.02));
}

TEST_CASE("a plan by sensitivity loses less than about the same s everywhere") {
  const Checkpoint checkpoint = wide_checkpoint();
  const SensitivityCurves curves = synthetic_curves(checkpoint, rise_of);
  const auto loss = [&](const CompressionPlan& plan) {
    double total = 0.0;
    for (const TensorDecision& decision : plan.decisions) {
      const SortedValues sorted(checkpoint.tensors.at(decision.name).values());
      total += rise_of(decision.name, error_within(sorted, decision.threshold));
    }
    return total;
  };
  const CompressionPlan informed = Planner(checkpoint, &curves, {}).for_sparsity(0.4);
  const CompressionPlan uniform = Planner(checkpoint, nullptr, {}).for_sparsity(0.4);
  CHECK(loss(informed) < loss(uniform));
  CHECK(informed.predicted_rise == Approx(loss(informed)).epsilon(1e-6));
}

TEST_CASE("curves of groups of tensors make the plan of curves of single ones") {
  // Kind of matrix x layer, with one layer: the kinds alone say what every matrix costs.
  const Checkpoint checkpoint = wide_checkpoint();
  const auto size_times_alpha = [&](const std::string& name, double error) {
    return static_cast<double>(checkpoint.tensors.at(name).size()) * rise_of(name, error);
  };
  const std::vector<ParameterSpec> specs = parameter_specs(checkpoint.config);
  const SensitivityCurves single = synthetic_curves(checkpoint, size_times_alpha);
  const SensitivityCurves groups =
      synthetic_curves(checkpoint, size_times_alpha, sensitivity_groups(specs));
  const CompressionPlan expected = Planner(checkpoint, &single, {}).for_sparsity(0.4);
  const CompressionPlan plan = Planner(checkpoint, &groups, {}).for_sparsity(0.4);
  for (const TensorDecision& decision : plan.decisions) {
    INFO(decision.name);
    CHECK(decision.s == Approx(decision_of(expected, decision.name).s).epsilon(0.02));
  }
}

TEST_CASE("without curves s is about the same everywhere") {
  const Checkpoint checkpoint = wide_checkpoint();
  const CompressionPlan plan = Planner(checkpoint, nullptr, {}).for_sparsity(0.3);
  const double s = decision_of(plan, kFc1).s;
  CHECK(s > 0.0);
  for (const TensorDecision& decision : plan.decisions) {
    if (decision.threshold == 0.0f) {
      continue;
    }
    INFO(decision.name);
    CHECK(decision.s == Approx(s).epsilon(0.05));
    // alpha is the number of elements
    const SortedValues sorted(checkpoint.tensors.at(decision.name).values());
    CHECK(static_cast<double>(sorted.size()) * unit_cost(sorted, decision.threshold) ==
          Approx(plan.lambda).epsilon(0.05));
  }
}

TEST_CASE("a tensor that improves the score when damaged is not pruned away") {
  const Checkpoint checkpoint = wide_checkpoint();
  const auto size_of = [&](const std::string& name) {
    return static_cast<double>(checkpoint.tensors.at(name).size());
  };
  const SensitivityCurves curves =
      synthetic_curves(checkpoint, [&](const std::string& name, double e) {
        return (name == kFc1 ? -1.0 : 1.0) * size_of(name) * std::pow(e, 5.0 / 3.0);
      });
  const double lambda = 1e-2;
  const CompressionPlan plan =
      Planner(checkpoint, &curves, {.method = PruningMethod{.max_sparsity = 1.0}}).at(lambda);
  const auto planned_alpha = [&](const std::string& name) {
    const SortedValues sorted(checkpoint.tensors.at(name).values());
    return lambda / unit_cost(sorted, decision_of(plan, name).threshold) / size_of(name);
  };
  CHECK(planned_alpha(kFc2) == Approx(1.0).epsilon(0.01));
  CHECK(planned_alpha(kFc1) > 0.5 / 6.0);
  CHECK(planned_alpha(kFc1) < 1.01 / 6.0);
  CHECK(decision_of(plan, kFc1).s > decision_of(plan, kFc2).s);
  CHECK(decision_of(plan, kFc1).sparsity < 0.9);
}

TEST_CASE("a target in bytes is met, and the estimate is the size of the codes") {
  const Checkpoint checkpoint = wide_checkpoint();
  for (const KMeansInit init : {KMeansInit::kLinear, KMeansInit::kOptimal}) {
    const Planner planner(checkpoint, nullptr,
                          {.method = PruningMethod{.bits = 4, .embedding_bits = 4, .init = init}});
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
  const Planner planner(checkpoint, nullptr,
                        {.method = PruningMethod{.bits = 4, .max_sparsity = 0.5}});
  CHECK_THROWS_WITH(planner.for_bytes(100.0),
                    Catch::Contains("100 bytes") && Catch::Contains("out of reach"));
  CHECK_THROWS_AS(planner.for_sparsity(0.6), ConfigError);
  CHECK_NOTHROW(planner.for_sparsity(0.5));
  CHECK_THROWS_AS(
      Planner(checkpoint, nullptr, {.method = PruningMethod{.prune = false}}).for_bytes(100.0),
      ConfigError);
}

TEST_CASE("no tensor is pruned beyond max_sparsity") {
  const Planner planner(wide_checkpoint(), nullptr,
                        {.method = PruningMethod{.bits = 4, .max_sparsity = 0.6}});
  for (const TensorDecision& decision : planner.at(1e6).decisions) {
    CHECK(decision.sparsity <= 0.6);
    CHECK((decision.threshold == 0.0f || decision.sparsity > 0.59));
  }
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
  const CompressionPlan bits =
      planned({.method = PruningMethod{.bits = 4}, .bits_per_weight = 3.6});
  CHECK(bits.estimated_model_bytes ==
        Approx(3.6 * static_cast<double>(parameters) / 8.0).epsilon(0.01));
  CHECK(planned({.method = PruningMethod{.bits = 4}, .paper_ratio = 50.0}).estimated_model_bytes <=
        20000.0);
  CHECK(planned({.method = PruningMethod{.bits = 4}}).lambda == 0.0);
  CHECK(planned({.method = PruningMethod{.bits = 4, .sparsity = 0.5}}).lambda > 0.0);
}

TEST_CASE("plans and compressed models do not depend on the number of threads") {
  const Checkpoint checkpoint = wide_checkpoint();
  const SensitivityCurves curves = synthetic_curves(checkpoint, rise_of);
  const Recipe recipe{.method = PruningMethod{.bits = 4, .init = KMeansInit::kKMeansPlusPlus},
                      .bits_per_weight = 3.5};
  const auto plan = [&] { return Planner(checkpoint, &curves, recipe).for_recipe(0.0); };
  const CompressionPlan one = on_threads(1, plan);
  const Checkpoint compressed = on_threads(1, [&] { return apply(checkpoint, one); });
  for (const int threads : {2, 5}) {
    const ThreadCount guard(threads);
    const CompressionPlan several = plan();
    CHECK(same(one, several));
    CHECK(apply(checkpoint, several).tensors == compressed.tensors);
  }
}
