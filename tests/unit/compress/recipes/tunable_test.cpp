#include "compress/recipes/tunable.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "formats/records/size_fit.h"
#include "tests/support/tiny_checkpoint.h"

using namespace ltz;
using namespace ltz::compress;

namespace {

constexpr double kBaselineBytes = 1e6;

// Small codebooks, as the model is small; the target is in the middle of what is in reach.
Recipe pruning_recipe(const Checkpoint& checkpoint) {
  Recipe recipe{.method = PruningMethod{.bits = 3, .embedding_bits = 3}};
  const Planner planner(checkpoint, nullptr, recipe);
  const double bytes =
      0.5 * (planner.at(0.0).estimated_model_bytes + planner.at(INFINITY).estimated_model_bytes);
  recipe.paper_ratio = kBaselineBytes / bytes;
  return recipe;
}

// Any weights count alike.
Calibration blind_calibration(const Checkpoint& checkpoint) {
  Transformer model(checkpoint);
  Calibration calibration{.moments = all_moments(model, {})};
  for (const auto& [name, moments] : calibration.moments) {
    calibration.sensitivities[name] = 1.0;
  }
  return calibration;
}

void check_forecast(const Checkpoint& checkpoint, const TunableCompressor& compressor,
                    double strength) {
  const auto forecast = compressor.forecast(strength);
  const auto specs = parameter_specs(checkpoint.config);
  REQUIRE(forecast.size() == specs.size());
  for (std::size_t i = 0; i < specs.size(); ++i) {
    CHECK(forecast[i].name == specs[i].name);
    CHECK(forecast[i].bytes > 0.0);
    CHECK((forecast[i].centroids == 0) == forecast[i].method.ends_with("float16"));
  }
  // What is no estimate is exact.
  const auto file = formats::encode_ltz(compressor.compress(strength, {}));
  CHECK(formats::FileForecast(checkpoint).sizes(forecast).vocabulary ==
        formats::ltz_sizes(file).vocabulary);
}

double model_bytes(const Checkpoint& checkpoint, const TunableCompressor& compressor,
                   double strength) {
  return static_cast<double>(
      formats::FileForecast(checkpoint).sizes(compressor.forecast(strength)).model);
}

}  // namespace

TEST_CASE("the planner starts with what the recipe asks for") {
  const Checkpoint checkpoint = tiny_checkpoint(1);
  const Recipe recipe = pruning_recipe(checkpoint);
  const TunablePlanner compressor(checkpoint, nullptr, recipe, kBaselineBytes);
  const Planner planner(checkpoint, nullptr, recipe);
  CHECK(compressor.compress(compressor.start(), {}).tensors ==
        apply(checkpoint, planner.for_recipe(kBaselineBytes)).tensors);
  CHECK(compressor.compress(compressor.range().mildest, {}).tensors ==
        apply(checkpoint, planner.at(0.0)).tensors);
  for (const double strength :
       {compressor.range().mildest, compressor.start(), compressor.range().strongest}) {
    check_forecast(checkpoint, compressor, strength);
  }
}

TEST_CASE("a recipe's sparsity is never undercut") {
  const Checkpoint checkpoint = tiny_checkpoint(2);
  const TunablePlanner compressor(
      checkpoint, nullptr, {.method = PruningMethod{.bits = 3, .sparsity = 0.5}}, kBaselineBytes);
  CHECK(compressor.range().mildest == compressor.start());
  CHECK(compressor.range().strongest > compressor.start());
}

TEST_CASE("more strength makes smaller files of every method") {
  const Checkpoint checkpoint = tiny_checkpoint(3);
  const TunablePlanner planner(checkpoint, nullptr, pruning_recipe(checkpoint), kBaselineBytes);
  const Calibration calibration = blind_calibration(checkpoint);
  const TunableCalibrated calibrated(checkpoint, calibration, {.method = CalibratedMethod{}});
  for (const TunableCompressor* compressor : {static_cast<const TunableCompressor*>(&planner),
                                              static_cast<const TunableCompressor*>(&calibrated)}) {
    const auto [mildest, strongest] = compressor->range();
    const double middle = 0.5 * (mildest + strongest);
    const double mild = model_bytes(checkpoint, *compressor, mildest);
    const double medium = model_bytes(checkpoint, *compressor, middle);
    const double strong = model_bytes(checkpoint, *compressor, strongest);
    CHECK(mild > medium);
    CHECK(medium > strong);
    // The place to start from is where a limit is kept as foreseen.
    const double start = formats::FileForecast(checkpoint).strength(*compressor, {.model = medium});
    CHECK(model_bytes(checkpoint, *compressor, start) <= medium);
    check_forecast(checkpoint, *compressor, middle);
  }
}

TEST_CASE("files fit into model and file") {
  const auto sizes_at = [](double strength) {
    const auto model = static_cast<std::int64_t>(1e6 - 6e4 * strength);
    const auto embedding = static_cast<std::int64_t>(5e5 - 1e4 * strength);
    return formats::LtzSizes{model + embedding + 1000, embedding, 1000, model};
  };
  for (const formats::SizeLimits limits :
       {formats::SizeLimits{.model = 8e5}, formats::SizeLimits{.file = 1.2e6},
        formats::SizeLimits{.model = 8e5, .file = 1.2e6}}) {
    const SizeSearchResult found = formats::fitting_strength(
        sizes_at, {.limits = limits, .range = {-10.0, 10.0}, .weights = 1e6});
    const formats::LtzSizes sizes = sizes_at(found.strength);
    CHECK(found.fits);
    CHECK(static_cast<double>(sizes.model) <= limits.model);
    CHECK(static_cast<double>(sizes.total) <= limits.file);
    CHECK((static_cast<double>(sizes.model) >= 0.98 * limits.model ||
           static_cast<double>(sizes.total) >= 0.98 * limits.file));
  }
  // Without limits, the start.
  CHECK(formats::fitting_strength(sizes_at, {.start = 3.0, .range = {-10.0, 10.0}, .weights = 1e6})
            .strength == 3.0);
}
