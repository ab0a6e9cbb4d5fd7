#include "compress/sensitivity/loss_curve.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "compress/sensitivity/pattern.h"
#include "tests/support/tiny_checkpoint.h"

using namespace ltz;
using namespace ltz::compress;

namespace {

const char* const kFc1 = "encoder.layers.0.fc1.weight";
constexpr double kBaseline = 4.0;

using Alpha = std::function<double(const ParameterSpec&)>;

double size_of(const ParameterSpec& spec) {
  return static_cast<double>(element_count(spec.shape));
}

// Those of tiny_checkpoint with three layers in each stack.
std::vector<ParameterSpec> tiny_specs() {
  ModelConfig config = tiny_checkpoint(1).config;
  for (StackConfig* stack : {&config.encoder, &config.decoder}) {
    stack->layers = 3;
    stack->kernel_sizes = {3, 3, 3};
  }
  return parameter_specs(config);
}

// What the groups' points would be if every tensor cost alpha e^(5/3) and nothing else.
SensitivityCurves curves_of(const std::vector<ParameterSpec>& specs,
                            const std::vector<std::string>& groups, const Alpha& alpha,
                            Knob knob = Knob::kSparsity) {
  SensitivityCurves curves{"nll", kBaseline, {}};
  for (const std::string& group : groups) {
    double sum = 0.0;
    for (const ParameterSpec& spec : specs) {
      sum += is_weight(spec) && matches(group, spec.name) ? alpha(spec) : 0.0;
    }
    for (const double error : {0.002, 0.02, 0.2}) {
      curves.points.push_back({.group = group,
                               .knob = knob,
                               .setting = error,
                               .relative_error = error,
                               .quality = kBaseline + sum * std::pow(error, 5.0 / 3.0)});
    }
  }
  return curves;
}

void check_alphas(const std::vector<ParameterSpec>& specs,
                  const std::map<std::string, LossCurve>& fitted, const Alpha& expected) {
  std::size_t weights = 0;
  for (const ParameterSpec& spec : specs) {
    INFO(spec.name);
    REQUIRE(fitted.contains(spec.name) == is_weight(spec));
    if (is_weight(spec)) {
      CHECK(fitted.at(spec.name).alpha == Approx(expected(spec)));
      ++weights;
    }
  }
  CHECK(fitted.size() == weights);
}

// Different for every matrix, from half to twice the number of elements.
double uneven(const ParameterSpec& spec) {
  const std::size_t sum = spec.name.size() * 7 + static_cast<std::size_t>(spec.layer + 1) * 5;
  return size_of(spec) * (0.5 + static_cast<double>(sum % 16) / 10.0);
}

// Kind of matrix x layer: the factor of the kind has nothing to do with that of the layer. All
// are well above the least factor that a fit allows.
double two_way(const ParameterSpec& spec) {
  std::string kind = spec.name;
  if (spec.role == Role::kMatrix) {
    kind[kind.find("layers.") + 7] = '*';
  }
  unsigned sum = spec.stack == Stack::kEncoder ? 1 : 2;
  for (const char c : kind) {
    sum = sum * 31 + static_cast<unsigned char>(c);
  }
  const double kind_factor = 0.8 + (sum % 40) / 40.0;
  const double encoder[] = {1.0, 1.5, 0.7, 0.9};
  const double decoder[] = {1.0, 0.7, 1.3, 1.1};
  const double layer_factor = (spec.stack == Stack::kEncoder ? encoder : decoder)[spec.layer + 1];
  return size_of(spec) * kind_factor * layer_factor;
}

}  // namespace

TEST_CASE("the loss rises with the error to the power of 5/3") {
  const LossCurve curve{.alpha = 3.0};
  CHECK(curve.rise(0.0) == 0.0);
  CHECK(curve.slope(0.0) == 0.0);
  CHECK(curve.rise(1.0) == Approx(3.0));
  CHECK(curve.rise(1.0 / 8.0) == Approx(3.0 / 32.0));
  CHECK(curve.slope(1.0) == Approx(5.0));
  CHECK(curve.slope(1.0 / 8.0) == Approx(5.0 / 4.0));
}

TEST_CASE("points of single tensors give every tensor its own alpha") {
  const std::vector<ParameterSpec> specs = tiny_specs();
  for (const Knob knob : {Knob::kSparsity, Knob::kBits}) {
    const SensitivityCurves curves = curves_of(specs, single_tensors(specs), uneven, knob);
    check_alphas(specs, fit_loss_curves(specs, &curves), uneven);
  }
}

TEST_CASE("points of kinds and layers give the alphas of a two-way model") {
  const std::vector<ParameterSpec> specs = tiny_specs();
  const SensitivityCurves curves = curves_of(specs, sensitivity_groups(specs), two_way);
  const std::map<std::string, LossCurve> fitted = fit_loss_curves(specs, &curves);
  const double unit = fitted.at(kFc1).alpha;
  double expected_unit = 0.0;
  for (const ParameterSpec& spec : specs) {
    expected_unit = spec.name == kFc1 ? two_way(spec) : expected_unit;
  }
  for (const ParameterSpec& spec : specs) {
    if (is_weight(spec)) {
      INFO(spec.name);
      CHECK(fitted.at(spec.name).alpha / unit == Approx(two_way(spec) / expected_unit));
    }
  }
  check_alphas(specs, fitted, two_way);
}

TEST_CASE("measuring again what is known already changes nothing") {
  const std::vector<ParameterSpec> specs = tiny_specs();
  std::vector<std::string> groups = single_tensors(specs);
  groups.insert(groups.end(), {"*.fc?.weight", "*", "encoder.*"});
  const SensitivityCurves curves = curves_of(specs, groups, uneven);
  check_alphas(specs, fit_loss_curves(specs, &curves), uneven);
}

TEST_CASE("the factor is the least squares over the points") {
  const std::vector<ParameterSpec> specs = tiny_specs();
  SensitivityCurves curves{"nll", kBaseline, {}};
  // Rises of 3 and 7 where the number of elements, 96, says 96 and 96/32.
  curves.points = {{.group = kFc1, .relative_error = 1.0, .quality = kBaseline + 3.0},
                   {.group = kFc1, .relative_error = 1.0 / 8.0, .quality = kBaseline + 7.0}};
  const double factor = (96.0 * 3.0 + 3.0 * 7.0) / (96.0 * 96.0 + 3.0 * 3.0);
  CHECK(fit_loss_curves(specs, &curves).at(kFc1).alpha == Approx(96.0 * factor));
}

TEST_CASE("points of pruning count, those of quantization only where there are none") {
  const std::vector<ParameterSpec> specs = tiny_specs();
  SensitivityCurves curves = curves_of(specs, single_tensors(specs), uneven);
  const SensitivityCurves bits = curves_of(
      specs, single_tensors(specs), [](const auto& spec) { return 3.0 * uneven(spec); },
      Knob::kBits);
  curves.points.insert(curves.points.end(), bits.points.begin(), bits.points.end());
  check_alphas(specs, fit_loss_curves(specs, &curves), uneven);

  std::erase_if(curves.points, [](const SensitivityPoint& point) {
    return point.group == kFc1 && point.knob == Knob::kSparsity;
  });
  check_alphas(specs, fit_loss_curves(specs, &curves), [](const ParameterSpec& spec) {
    return (spec.name == kFc1 ? 3.0 : 1.0) * uneven(spec);
  });
}

TEST_CASE("a group that improves the score gets a small share of the typical, not nothing") {
  const std::vector<ParameterSpec> specs = tiny_specs();
  for (const double improvement : {0.0, -0.1, -1.0}) {
    for (const char* lucky : {"encoder.layers.*.fc1.weight", "decoder.layers.*.fc2.weight"}) {
      const Alpha alpha = [&](const ParameterSpec& spec) {
        return size_of(spec) * (matches(lucky, spec.name) ? improvement : 1.0);
      };
      const SensitivityCurves curves = curves_of(specs, single_tensors(specs), alpha);
      const std::map<std::string, LossCurve> fitted = fit_loss_curves(specs, &curves);
      for (const ParameterSpec& spec : specs) {
        INFO(spec.name << " " << improvement);
        if (is_weight(spec) && !matches(lucky, spec.name)) {
          CHECK(fitted.at(spec.name).alpha == Approx(size_of(spec)));
        } else if (is_weight(spec)) {
          CHECK(fitted.at(spec.name).alpha > 0.2 / 6.0 * size_of(spec));
          CHECK(fitted.at(spec.name).alpha < 1.01 / 6.0 * size_of(spec));
        }
      }
    }
  }
}

TEST_CASE("the least factor is a sixth of the typical one when the group's turn comes") {
  // One tensor costs twice its elements, the other nothing and so does not count: typically twice.
  const std::vector<ParameterSpec> specs = tiny_specs();
  const char* const fc2 = "encoder.layers.0.fc2.weight";
  const Alpha alpha = [](const ParameterSpec& spec) {
    return spec.name == kFc1 ? 2.0 * size_of(spec) : 0.0;
  };
  const SensitivityCurves before = curves_of(specs, {fc2, kFc1}, alpha);
  CHECK(fit_loss_curves(specs, &before).at(fc2).alpha == Approx(96.0 * 2.0 / 6.0));
  CHECK(fit_loss_curves(specs, &before).at(kFc1).alpha == Approx(96.0 * 2.0));
  const SensitivityCurves after = curves_of(specs, {kFc1, fc2}, alpha);
  CHECK(fit_loss_curves(specs, &after).at(fc2).alpha == Approx(96.0 * 2.0 / 6.0));
  CHECK(fit_loss_curves(specs, &after).at(kFc1).alpha == Approx(96.0 * 2.0));
}

TEST_CASE("what was not measured has the typical alpha per element") {
  const std::vector<ParameterSpec> specs = tiny_specs();
  const SensitivityCurves curves =
      curves_of(specs, {kFc1, "decoder.layers.*.fc2.weight"},
                [](const ParameterSpec& spec) { return 0.25 * size_of(spec); });
  check_alphas(specs, fit_loss_curves(specs, &curves),
               [](const ParameterSpec& spec) { return 0.25 * size_of(spec); });
}

TEST_CASE("without curves, or with none that shows a loss, alpha is the number of elements") {
  const std::vector<ParameterSpec> specs = tiny_specs();
  check_alphas(specs, fit_loss_curves(specs, nullptr), size_of);
  CHECK(fit_loss_curves({}, nullptr).empty());
  const SensitivityCurves empty{"nll", kBaseline, {}};
  check_alphas(specs, fit_loss_curves(specs, &empty), size_of);
  for (const double factor : {0.0, -1.0}) {
    const SensitivityCurves lossless =
        curves_of(specs, single_tensors(specs),
                  [&](const ParameterSpec& spec) { return factor * size_of(spec); });
    check_alphas(specs, fit_loss_curves(specs, &lossless), size_of);
  }
}

TEST_CASE("points without damage, and of groups that this model does not have, say nothing") {
  const std::vector<ParameterSpec> specs = tiny_specs();
  SensitivityCurves curves = curves_of(specs, single_tensors(specs), uneven);
  std::erase_if(curves.points, [](const auto& point) { return point.group == kFc1; });
  const std::map<std::string, LossCurve> before = fit_loss_curves(specs, &curves);
  curves.points.push_back({.group = kFc1, .relative_error = 0.0, .quality = 100.0});
  curves.points.push_back({.group = "nonsense", .relative_error = 0.1, .quality = 100.0});
  check_alphas(specs, fit_loss_curves(specs, &curves),
               [&](const ParameterSpec& spec) { return before.at(spec.name).alpha; });
}
