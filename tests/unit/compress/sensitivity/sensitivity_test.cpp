#include "compress/sensitivity/sensitivity.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "compress/codebooks/quantize.h"
#include "compress/sensitivity/prune.h"
#include "model/base/error.h"
#include "tests/support/tiny_checkpoint.h"

using namespace ltz;
using namespace ltz::compress;

namespace {

const char* const kTable = "encoder.embed_tokens.weight";
const SensitivityOptions kFew{.sparsities = {0.25, 0.5}, .bits = {2, 4}};

// A quality that is a known function of the damage, and keeps the names that it was called with.
struct Probe {
  const Checkpoint& checkpoint;
  std::vector<std::vector<std::string>> calls = {};

  Measurement measurement() {
    return {"nll", 2.0, [this](const Replacements& replacements) {
              calls.emplace_back();
              double quality = 2.0;
              for (const auto& [name, replacement] : replacements) {
                calls.back().push_back(name);
                const Tensor& original = checkpoint.tensors.at(name);
                REQUIRE(replacement.shape == original.shape);
                quality += 3.0 * relative_error(original.values(), replacement.values());
              }
              return quality;
            }};
  }
};

std::vector<std::string> planned_tensors(const Checkpoint& checkpoint) {
  std::vector<std::string> names;
  for (const ParameterSpec& spec : parameter_specs(checkpoint.config)) {
    if (spec.role == Role::kMatrix || spec.role == Role::kTable) {
      names.push_back(spec.name);
    }
  }
  return names;
}

}  // namespace

TEST_CASE("every matrix and table is measured at every setting, in the model's order") {
  const Checkpoint checkpoint = tiny_checkpoint(1);
  Probe probe{checkpoint};
  std::size_t reported = 0;
  const SensitivityCurves curves =
      analyse(checkpoint, kFew, probe.measurement(), {},
              [&](const SensitivityPoint&, std::size_t done, std::size_t total) {
                CHECK(done == ++reported);
                CHECK(total == 4 * planned_tensors(checkpoint).size());
              });
  CHECK(curves.metric == "nll");
  CHECK(curves.baseline == 2.0);
  REQUIRE(curves.points.size() == 4 * planned_tensors(checkpoint).size());
  CHECK(reported == curves.points.size());
  REQUIRE(probe.calls.size() == curves.points.size());
  std::size_t i = 0;
  for (const std::string& name : planned_tensors(checkpoint)) {
    for (const auto& [knob, setting] : {std::pair{Knob::kSparsity, 0.25},
                                        {Knob::kSparsity, 0.5},
                                        {Knob::kBits, 2.0},
                                        {Knob::kBits, 4.0}}) {
      CHECK(curves.points[i].group == name);
      CHECK(curves.points[i].knob == knob);
      CHECK(curves.points[i].setting == setting);
      CHECK(probe.calls[i] == std::vector<std::string>{name});
      ++i;
    }
  }
}

TEST_CASE("a point holds threshold, error and quality of its replacement") {
  const Checkpoint checkpoint = tiny_checkpoint(2);
  Probe probe{checkpoint};
  for (const SensitivityPoint& point : analyse(checkpoint, kFew, probe.measurement()).points) {
    const Tensor& tensor = checkpoint.tensors.at(point.group);
    const std::vector<float> values = tensor.values();
    CHECK(point.quality == Approx(2.0 + 3.0 * point.relative_error));
    CHECK(point.relative_error > 0.0);
    if (point.knob == Knob::kSparsity) {
      const float threshold = threshold_for_sparsity(SortedValues(values), point.setting);
      CHECK(point.threshold == Approx(threshold / standard_deviation(values)));
      CHECK(point.relative_error ==
            Approx(relative_error(values, prune(tensor, threshold).values())));
    } else {
      CHECK(point.threshold == 0.0);
      const Tensor quantized = quantize(tensor, {.bits = static_cast<int>(point.setting),
                                                 .init = kFew.init,
                                                 .max_iterations = kFew.max_iterations,
                                                 .seed = kFew.seed});
      CHECK(point.relative_error == Approx(relative_error(values, quantized.values())));
    }
  }
}

TEST_CASE("the tensors of a group are damaged together, those of other groups not at all") {
  const Checkpoint checkpoint = tiny_checkpoint(4);
  Probe probe{checkpoint};
  SensitivityOptions options = kFew;
  options.groups = {"encoder.layers.*.fc?.weight", kTable, "*.self_attn.branches.1.*"};
  const std::vector<SensitivityPoint> points =
      analyse(checkpoint, options, probe.measurement()).points;
  const std::vector<std::vector<std::string>> members{
      {"encoder.layers.0.fc1.weight", "encoder.layers.0.fc2.weight"},
      {kTable},
      // sorted; without the biases and the kernel of the lightweight convolution
      {"decoder.layers.0.self_attn.branches.1.linear1.weight",
       "decoder.layers.0.self_attn.branches.1.linear2.weight",
       "encoder.layers.0.self_attn.branches.1.linear1.weight",
       "encoder.layers.0.self_attn.branches.1.linear2.weight",
       "encoder.layers.0.self_attn.branches.1.weight_linear.weight"}};
  REQUIRE(points.size() == 4 * members.size());
  REQUIRE(probe.calls.size() == points.size());
  for (std::size_t i = 0; i < points.size(); ++i) {
    CHECK(points[i].group == options.groups[i / 4]);
    CHECK(probe.calls[i] == members[i / 4]);
  }
}

TEST_CASE("threshold and error of a group are means over its elements") {
  const Checkpoint checkpoint = tiny_checkpoint(5);
  Probe probe{checkpoint};
  SensitivityOptions options{.sparsities = {0.5}, .bits = {3}, .groups = {"*"}};
  const std::vector<SensitivityPoint> together =
      analyse(checkpoint, options, probe.measurement()).points;
  options.groups.clear();
  const std::vector<SensitivityPoint> single =
      analyse(checkpoint, options, probe.measurement()).points;
  REQUIRE(together.size() == 2);
  for (const SensitivityPoint& mean : together) {
    double elements = 0.0;
    double threshold = 0.0;
    double error = 0.0;
    double rise = 0.0;
    for (const SensitivityPoint& point : single) {
      if (point.knob == mean.knob) {
        const auto count = static_cast<double>(checkpoint.tensors.at(point.group).size());
        elements += count;
        threshold += count * point.threshold;
        error += count * point.relative_error;
        rise += point.quality - 2.0;
      }
    }
    CHECK(mean.threshold == Approx(threshold / elements));
    CHECK(mean.relative_error == Approx(error / elements));
    CHECK(mean.quality == Approx(2.0 + rise));
  }
}

TEST_CASE("a resumed analysis measures only what is missing and ends the same") {
  const Checkpoint checkpoint = tiny_checkpoint(3);
  Probe probe{checkpoint};
  const SensitivityCurves whole = analyse(checkpoint, kFew, probe.measurement());
  std::vector<SensitivityPoint> known;
  for (std::size_t i = 0; i < whole.points.size(); i += 3) {
    known.push_back(whole.points[i]);
    known.back().setting += 1e-9;  // as if read from a text file
    known.back().quality += 1.0;   // to recognise it
  }
  Probe rest{checkpoint};
  const SensitivityCurves resumed = analyse(checkpoint, kFew, rest.measurement(), known);
  CHECK(rest.calls.size() == whole.points.size() - known.size());
  REQUIRE(resumed.points.size() == whole.points.size());
  for (std::size_t i = 0; i < whole.points.size(); ++i) {
    CHECK(resumed.points[i].group == whole.points[i].group);
    CHECK(resumed.points[i].quality == whole.points[i].quality + (i % 3 == 0 ? 1.0 : 0.0));
  }
}

TEST_CASE("a known point is taken over only for the same group, knob and setting") {
  const Checkpoint checkpoint = tiny_checkpoint(3);
  Probe probe{checkpoint};
  const SensitivityOptions options{.sparsities = {0.5}, .bits = {}, .groups = {kTable}};
  const std::vector<SensitivityPoint> others{
      {.group = "encoder.embed_tokens.*", .knob = Knob::kSparsity, .setting = 0.5},
      {.group = kTable, .knob = Knob::kBits, .setting = 0.5},
      {.group = kTable, .knob = Knob::kSparsity, .setting = 0.51}};
  CHECK(analyse(checkpoint, options, probe.measurement(), others).points.size() == 1);
  CHECK(probe.calls.size() == 1);
}

TEST_CASE("nothing to measure, and measurements that make no sense") {
  Checkpoint checkpoint = tiny_checkpoint(1);
  Probe probe{checkpoint};
  CHECK(analyse(checkpoint, {.sparsities = {}, .bits = {}}, probe.measurement()).points.empty());
  CHECK(probe.calls.empty());
  Measurement bad = probe.measurement();
  for (const double quality : {std::nan(""), std::numeric_limits<double>::infinity()}) {
    bad.quality = [quality](const Replacements&) { return quality; };
    CHECK_THROWS_AS(analyse(checkpoint, kFew, bad), ConfigError);
    CHECK_THROWS_WITH(analyse(checkpoint, {.groups = {"*.fc1.*"}}, bad),
                      Catch::Contains("*.fc1.*") && Catch::Contains("not a finite number"));
  }
  CHECK_THROWS_AS(analyse(checkpoint, {.sparsities = {1.5}}, probe.measurement()), ConfigError);
  CHECK_THROWS_WITH(analyse(checkpoint, {.sparsities = {}, .bits = {9}}, probe.measurement()),
                    Catch::Contains("embed_tokens") && Catch::Contains("9 bits"));
  // What a pattern matches must be a matrix or a table.
  for (const char* group : {"nonsense", "", "encoder.layers.0.fc1.bias", "*.final_layer_norm.*"}) {
    CHECK_THROWS_WITH(analyse(checkpoint, {.groups = {group}}, probe.measurement()),
                      Catch::Contains("no matrix or embedding table") && Catch::Contains(group));
  }
  checkpoint.tensors.erase(kTable);
  CHECK_THROWS_AS(analyse(checkpoint, kFew, probe.measurement()), ConfigError);
}

TEST_CASE("the relative error") {
  CHECK(relative_error({}, {}) == 0.0);
  CHECK(relative_error(std::vector<float>{0.0f}, std::vector<float>{1.0f}) == 0.0);
  CHECK(relative_error(std::vector<float>{3.0f, 4.0f}, std::vector<float>{0.0f, 4.0f}) ==
        Approx(9.0 / 25.0));
}
