#include "cli/pipeline/size_targets.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "eval/budget/accounting.h"
#include "tests/support/tiny_checkpoint.h"

using namespace ltz;
using namespace ltz::pipeline;

namespace {

// One tensor of as many bytes as 2^(10 - strength) and a divergence of 2^strength.
class FakeCompressor : public compress::TunableCompressor {
 public:
  std::vector<compress::TensorForecast> forecast(double strength) const override {
    return {{.name = "weights",
             .bytes = std::exp2(10.0 - strength),
             .divergence = std::exp2(strength)}};
  }
  Checkpoint compress(double, const Progress&) const override { return {}; }
  compress::StrengthRange range() const override { return {.mildest = -10.0, .strongest = 10.0}; }
  double start() const override { return 0.0; }
};

formats::SizeLimits limits(std::vector<eval::RatioLimit> ratios,
                           std::optional<std::int64_t> bytes = {}) {
  return limits_of({.min_ratios = std::move(ratios), .max_bytes = bytes}, tiny_checkpoint(1).config,
                   1000);
}

}  // namespace

TEST_CASE("no limit on sizes asks for nothing") {
  CHECK_FALSE(limits({}).any());
  CHECK_FALSE(limits({{"file", 0.0}, {"paper", -1.0}}).any());
}

TEST_CASE("each ratio limits the bytes that it is a ratio of") {
  const eval::ParameterCounts counts = eval::count_parameters(tiny_checkpoint(1).config);
  CHECK(limits({{"file", 10.0}}).file == Approx(0.4 * static_cast<double>(counts.total)));
  CHECK(std::isinf(limits({{"file", 10.0}}).model));
  CHECK(limits({{"model", 8.0}}).model == Approx(0.5 * static_cast<double>(counts.non_embedding)));
  CHECK(limits({{"paper", 8.0}}).model == Approx(500.0));
  CHECK(std::isinf(limits({{"paper", 8.0}}).file));
}

TEST_CASE("of several limits the strictest holds") {
  CHECK(limits({{"paper", 8.0}, {"paper", 16.0}, {"paper", 4.0}}).model == Approx(250.0));
  CHECK(limits({{"file", 1.0}}, 17).file == 17.0);
  CHECK(limits({{"file", 1e6}}, 1000000).file < 1000000.0);
}

TEST_CASE("a recipe without a size has no target of its own") {
  const Checkpoint checkpoint = tiny_checkpoint(1);
  const formats::FileForecast forecast(checkpoint);
  CHECK_FALSE(own_target({}, checkpoint.config, 1000, FakeCompressor(), forecast));
}

TEST_CASE("a recipe's own target gives way to the divergence, as far as it says") {
  const Checkpoint checkpoint = tiny_checkpoint(1);
  const formats::FileForecast forecast(checkpoint);
  const FakeCompressor compressor;
  const auto weights = static_cast<double>(eval::count_parameters(checkpoint.config).non_embedding);
  // What a file of the mildest of these strengths has beside the tensor.
  const double rest = static_cast<double>(forecast.sizes(compressor.forecast(0.0)).model) - 1024.0;
  const auto bits_of = [&](double bytes) { return 8.0 * bytes / weights; };
  const auto target = [&](double most_divergence, double most_bits) {
    compress::Recipe recipe{.method = compress::CalibratedMethod{.max_divergence = most_divergence,
                                                                 .max_bits_per_weight = most_bits}};
    recipe.bits_per_weight = bits_of(rest + 256.0);  // strength 2, a divergence of 4
    return own_target(recipe, checkpoint.config, 1000, compressor, forecast).value();
  };
  CHECK(target(8.0, 100.0) == Approx(rest + 256.0).margin(1.0));
  // Half of the divergence is one step milder.
  CHECK(target(2.0, 100.0) == Approx(rest + 512.0).margin(12.0));
  CHECK(target(2.0, bits_of(rest + 300.0)) == Approx(rest + 300.0).margin(1.0));
}

TEST_CASE("training leaves room in a file") {
  const formats::FileForecast forecast(tiny_checkpoint(1));
  const formats::SizeLimits before{.model = 1e6, .file = 2e6};
  const formats::SizeLimits after = limits_before_training(forecast, FakeCompressor(), before);
  CHECK(after.model <= before.model);
  CHECK(before.model - after.model == before.file - after.file);
}
