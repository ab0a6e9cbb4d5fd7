#include "compress/sensitivity.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "compress/prune.h"
#include "compress/quantize.h"
#include "model/error.h"
#include "tests/unit/tiny_checkpoint.h"

using namespace ltz;
using namespace ltz::compress;

namespace {

const SensitivityOptions kFew{.sparsities = {0.25, 0.5}, .bits = {2, 4}};

// A quality that is a known function of the damage, and counts its calls.
struct Probe {
  const Checkpoint& checkpoint;
  int calls = 0;

  Measurement measurement() {
    return {"nll", 2.0, [this](const std::string& name, const Tensor& replacement) {
              ++calls;
              return 2.0 + 3.0 * relative_error(checkpoint.tensors.at(name).values(),
                                                replacement.values());
            }};
  }
};

std::size_t planned_tensors(const Checkpoint& checkpoint, bool tables) {
  return static_cast<std::size_t>(
      std::ranges::count_if(parameter_specs(checkpoint.config), [&](const ParameterSpec& spec) {
        return spec.role == Role::kMatrix || (tables && spec.role == Role::kTable);
      }));
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
                CHECK(total == 4 * planned_tensors(checkpoint, true));
              });
  CHECK(curves.metric == "nll");
  CHECK(curves.baseline == 2.0);
  REQUIRE(curves.points.size() == 4 * planned_tensors(checkpoint, true));
  CHECK(reported == curves.points.size());
  std::size_t i = 0;
  for (const ParameterSpec& spec : parameter_specs(checkpoint.config)) {
    if (spec.role == Role::kMatrix || spec.role == Role::kTable) {
      for (const auto& [knob, setting] : {std::pair{Knob::kSparsity, 0.25},
                                          {Knob::kSparsity, 0.5},
                                          {Knob::kBits, 2.0},
                                          {Knob::kBits, 4.0}}) {
        CHECK(curves.points[i].tensor == spec.name);
        CHECK(curves.points[i].knob == knob);
        CHECK(curves.points[i].setting == setting);
        ++i;
      }
    }
  }
}

TEST_CASE("a point holds threshold, error and quality of its replacement") {
  const Checkpoint checkpoint = tiny_checkpoint(2);
  Probe probe{checkpoint};
  for (const SensitivityPoint& point : analyse(checkpoint, kFew, probe.measurement()).points) {
    const Tensor& tensor = checkpoint.tensors.at(point.tensor);
    const std::vector<float> values = tensor.values();
    CHECK(point.quality == 2.0 + 3.0 * point.relative_error);
    CHECK(point.relative_error > 0.0);
    if (point.knob == Knob::kSparsity) {
      const float threshold = threshold_for_sparsity(values, point.setting);
      CHECK(point.threshold == Approx(threshold / standard_deviation(values)));
      CHECK(point.relative_error == relative_error(values, prune(tensor, threshold).values()));
    } else {
      CHECK(point.threshold == 0.0);
    }
  }
}

TEST_CASE("tables can be left out") {
  const Checkpoint checkpoint = tiny_checkpoint(1);
  Probe probe{checkpoint};
  SensitivityOptions options = kFew;
  options.tables = false;
  CHECK(analyse(checkpoint, options, probe.measurement()).points.size() ==
        4 * planned_tensors(checkpoint, false));
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
  CHECK(static_cast<std::size_t>(rest.calls) == whole.points.size() - known.size());
  REQUIRE(resumed.points.size() == whole.points.size());
  for (std::size_t i = 0; i < whole.points.size(); ++i) {
    CHECK(resumed.points[i].tensor == whole.points[i].tensor);
    CHECK(resumed.points[i].quality == whole.points[i].quality + (i % 3 == 0 ? 1.0 : 0.0));
  }
}

TEST_CASE("nothing to measure, and measurements that make no sense") {
  Checkpoint checkpoint = tiny_checkpoint(1);
  Probe probe{checkpoint};
  CHECK(analyse(checkpoint, {.sparsities = {}, .bits = {}}, probe.measurement()).points.empty());
  CHECK(probe.calls == 0);
  Measurement bad = probe.measurement();
  bad.quality = [](const std::string&, const Tensor&) { return std::nan(""); };
  CHECK_THROWS_AS(analyse(checkpoint, kFew, bad), ConfigError);
  CHECK_THROWS_AS(analyse(checkpoint, {.sparsities = {1.5}}, probe.measurement()), ConfigError);
  CHECK_THROWS_WITH(analyse(checkpoint, {.sparsities = {}, .bits = {9}}, probe.measurement()),
                    Catch::Contains("embed_tokens") && Catch::Contains("9 bits"));
  checkpoint.tensors.erase("encoder.embed_tokens.weight");
  CHECK_THROWS_AS(analyse(checkpoint, kFew, probe.measurement()), ConfigError);
}

TEST_CASE("the relative error") {
  CHECK(relative_error({}, {}) == 0.0);
  CHECK(relative_error(std::vector<float>{0.0f}, std::vector<float>{1.0f}) == 0.0);
  CHECK(relative_error(std::vector<float>{3.0f, 4.0f}, std::vector<float>{0.0f, 4.0f}) ==
        Approx(9.0 / 25.0));
}
