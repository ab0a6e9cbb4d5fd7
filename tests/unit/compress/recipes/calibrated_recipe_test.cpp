#include <catch2/catch.hpp>
#include <set>

#include "compress/codebooks/quantize.h"
#include "compress/recipes/calibrated.h"
#include "tests/support/tiny_calibration.h"
#include "tests/support/tiny_checkpoint.h"

// What a recipe changes about calibrated compression.
using namespace ltz;
using namespace ltz::compress;

namespace {

constexpr double kLambda = 3e-3;

std::vector<TensorEstimate> estimate(const Checkpoint& checkpoint, const Calibration& calibration,
                                     std::vector<Override> overrides) {
  Recipe recipe{.method = CalibratedMethod{}};
  recipe.overrides = std::move(overrides);
  return CalibratedCompressor(checkpoint, calibration, recipe).estimate(kLambda);
}

}  // namespace

TEST_CASE("every technique does something") {
  const Checkpoint checkpoint = tiny_checkpoint(1);
  const Calibration calibration = tiny_calibration(checkpoint, tiny_text());
  const auto tensors = [&](const CalibratedMethod& method) {
    Checkpoint found =
        CalibratedCompressor(checkpoint, calibration, {.method = method}).compress(kLambda);
    validate(found);
    return found.tensors;
  };
  const auto all = tensors({});
  for (const Technique technique : all_techniques()) {
    CAPTURE(std::string(to_string(technique)));
    CHECK(tensors({.without = {technique}}) != all);
  }
  // Those that look through the compressed layers have nothing to see without a text.
  const Calibration blind = tiny_calibration(checkpoint, {});
  const auto blindly = [&](const CalibratedMethod& method) {
    return CalibratedCompressor(checkpoint, blind, {.method = method}).compress(kLambda).tensors;
  };
  CHECK(blindly({.without = {Technique::kSequential, Technique::kOriginalTargets,
                             Technique::kBiasCorrection}}) == blindly({}));
}

TEST_CASE("without a technique, what it makes is not there") {
  const Checkpoint checkpoint = tiny_checkpoint(2);
  const Calibration calibration = tiny_calibration(checkpoint, tiny_text());
  const auto compressed = [&](Technique technique) {
    return CalibratedCompressor(checkpoint, calibration,
                                {.method = CalibratedMethod{.without = {technique}}})
        .compress(kLambda);
  };
  const auto row_scales = [](const Checkpoint& found) {
    return std::get<QuantizedValues>(found.tensors.at(kEncoderTable).data).row_scales.size();
  };
  CHECK(row_scales(compressed(Technique::kRates)) ==
        static_cast<std::size_t>(checkpoint.source_vocabulary.size()));
  CHECK(row_scales(compressed(Technique::kRowScales)) == 0);
  const std::string bias = "decoder.layers.0.fc2.bias";
  const Tensor plain = to_float16(checkpoint.tensors.at(bias));
  CHECK(compressed(Technique::kRates).tensors.at(bias) != plain);
  CHECK(compressed(Technique::kBiasCorrection).tensors.at(bias) == plain);
}

TEST_CASE("without allocation equal relative errors cost the same") {
  const Checkpoint checkpoint = tiny_checkpoint(3);
  Calibration calibration = tiny_calibration(checkpoint, tiny_text());
  const Recipe recipe{.method = CalibratedMethod{.without = {Technique::kAllocation}}};
  const Checkpoint found = CalibratedCompressor(checkpoint, calibration, recipe).compress(kLambda);
  for (auto& [name, sensitivity] : calibration.sensitivities) {
    sensitivity = 1e3;
  }
  CHECK(CalibratedCompressor(checkpoint, calibration, recipe).compress(kLambda).tensors ==
        found.tensors);
}

TEST_CASE("LayerNorms take up what they can if the recipe says so") {
  const Checkpoint checkpoint = tiny_checkpoint(4);
  const Calibration calibration = tiny_calibration(checkpoint, tiny_text());
  const auto norm_changes = [&](const CalibratedMethod& method) {
    const Checkpoint found =
        CalibratedCompressor(checkpoint, calibration, {.method = method}).compress(kLambda);
    std::set<bool> changes;
    for (const ParameterSpec& spec : parameter_specs(checkpoint.config)) {
      if (spec.role == Role::kGain) {
        changes.insert(found.tensors.at(spec.name) != to_float16(checkpoint.tensors.at(spec.name)));
      }
    }
    return changes;
  };
  CHECK(norm_changes({}) == std::set<bool>{false});
  CHECK(norm_changes({.layer_norm_repair = Slope::kLeastSquares}) == std::set<bool>{true});
  CHECK(norm_changes({.layer_norm_repair = Slope::kSameVariance}) == std::set<bool>{true});
}

TEST_CASE("what the recipe keeps as floats gets no codebook") {
  const Checkpoint checkpoint = tiny_checkpoint(7);
  const Calibration calibration = tiny_calibration(checkpoint, tiny_text());
  Recipe recipe{.method = CalibratedMethod{}};
  recipe.overrides.push_back({.pattern = "*.fc1.weight", .keep_float = true});
  const Checkpoint found = CalibratedCompressor(checkpoint, calibration, recipe).compress(1e-3);
  CHECK_FALSE(found.tensors.at("encoder.layers.0.fc1.weight").quantized());
  CHECK(found.tensors.at("encoder.layers.0.fc2.weight").quantized());
}

TEST_CASE("what gets care is kept better, and only that") {
  const Checkpoint checkpoint = tiny_checkpoint(8);
  const Calibration calibration = tiny_calibration(checkpoint, tiny_text());
  const auto plain = estimate(checkpoint, calibration, {});
  const auto careful =
      estimate(checkpoint, calibration, {{.pattern = "decoder.*.fc1.weight", .care = 100.0}});
  // The last pattern with an opinion wins; care is not multiplied.
  const auto last = estimate(checkpoint, calibration,
                             {{.pattern = "*", .care = 100.0},
                              {.pattern = "*", .care = 1.0},
                              {.pattern = "*.fc1.weight"}});
  REQUIRE(careful.size() == plain.size());
  REQUIRE(last.size() == plain.size());
  for (std::size_t i = 0; i < plain.size(); ++i) {
    CAPTURE(plain[i].name);
    if (plain[i].name == "decoder.layers.0.fc1.weight") {
      CHECK(careful[i].bits > plain[i].bits);
      CHECK(careful[i].divergence < plain[i].divergence);
    } else {
      CHECK(careful[i].bits == plain[i].bits);
    }
    CHECK(last[i].bits == plain[i].bits);
  }
}

TEST_CASE("care is a factor on the price that the recipe has, allocated or not") {
  const Checkpoint checkpoint = tiny_checkpoint(9);
  const Calibration calibration = tiny_calibration(checkpoint, tiny_text());
  Recipe recipe{.method = CalibratedMethod{.without = {Technique::kAllocation}}};
  const auto plain = CalibratedCompressor(checkpoint, calibration, recipe).estimate(kLambda);
  recipe.overrides = {{.pattern = "*", .care = 1.0}};
  const auto same = CalibratedCompressor(checkpoint, calibration, recipe).estimate(kLambda);
  for (std::size_t i = 0; i < plain.size(); ++i) {
    CHECK(same[i].bits == plain[i].bits);
  }
}
