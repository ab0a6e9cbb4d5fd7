#include "cli/pipeline/trials.h"

#include <catch2/catch.hpp>

#include "tests/support/tiny_checkpoint.h"

using namespace ltz;
using namespace ltz::pipeline;

namespace {

// Counts how often it has to work.
class CountingCompressor : public compress::TunableCompressor {
 public:
  explicit CountingCompressor(const Checkpoint& checkpoint)
      : planner_(checkpoint, nullptr, {.paper_ratio = 100.0}, 1e6) {}

  std::vector<compress::TensorForecast> forecast(double strength) const override {
    return planner_.forecast(strength);
  }
  Checkpoint compress(double strength, const Progress& on_stage) const override {
    ++compressed;
    return planner_.compress(strength, on_stage);
  }
  compress::StrengthRange range() const override { return planner_.range(); }
  double start() const override { return planner_.start(); }

  mutable int compressed = 0;

 private:
  compress::TunablePlanner planner_;
};

double middle(const compress::TunableCompressor& compressor) {
  return 0.5 * (compressor.range().mildest + compressor.range().strongest);
}

}  // namespace

TEST_CASE("a trial is made once, and its file holds its model") {
  const Checkpoint checkpoint = tiny_checkpoint(1);
  const CountingCompressor compressor(checkpoint);
  CompressState state("", {});
  Trials trials(checkpoint, compressor, {.method = "a method", .made = {}}, state);
  const double strength = middle(compressor);
  const std::vector<std::byte> file = trials.file(strength, {});
  CHECK(trials.sizes(strength, {}) == formats::ltz_sizes(file));
  CHECK(formats::decode_ltz(file, "file").tensors == trials.model(strength, {}).tensors);
  CHECK(compressor.compressed == 1);
  CHECK(trials.bits_per_weight(strength) ==
        Approx(8.0 * static_cast<double>(formats::ltz_sizes(file).model) / trials.parameters()));
}

TEST_CASE("what another run has tried is not made again unless it is asked for") {
  const Checkpoint checkpoint = tiny_checkpoint(1);
  const CountingCompressor compressor(checkpoint);
  const double strength = middle(compressor);
  CompressState state("", {});
  Trials(checkpoint, compressor, {.method = "a method", .made = {}}, state).sizes(strength, {});
  REQUIRE(state.trials.size() == 1);
  compressor.compressed = 0;

  Trials again(checkpoint, compressor, {.method = "a method", .made = {}}, state);
  CHECK(again.sizes(strength, {}) == state.trials.front().sizes);
  CHECK(compressor.compressed == 0);
  CHECK(again.file(strength, {}).size() == static_cast<std::size_t>(state.trials[0].sizes.total));
  CHECK(compressor.compressed == 1);

  Trials other(checkpoint, compressor, {.method = "another method", .made = {}}, state);
  other.sizes(strength, {});
  CHECK(compressor.compressed == 2);
  CHECK(state.trials.size() == 2);
}

TEST_CASE("the mildest file within a limit is found, and where there is none the smallest") {
  const Checkpoint checkpoint = tiny_checkpoint(1);
  const CountingCompressor compressor(checkpoint);
  CompressState state("", {});
  Trials trials(checkpoint, compressor, {.method = "a method", .made = {}}, state);
  const auto size_at = [&](double strength) {
    return static_cast<double>(trials.sizes(strength, {}).total);
  };
  const double limit =
      0.5 * (size_at(compressor.range().mildest) + size_at(compressor.range().strongest));
  std::vector<std::string> said;
  const Events events{.message = [&](const std::string& line) { said.push_back(line); }};
  const double found = fit_size(
      trials, {.limits = {.file = limit}, .start = middle(compressor), .close_enough = 0.001},
      events);
  CHECK(size_at(found) <= limit);
  for (const TrialRecord& trial : state.trials) {
    if (static_cast<double>(trial.sizes.total) <= limit) {
      CHECK(trial.strength >= found);
    }
  }
  REQUIRE_FALSE(said.empty());
  CHECK_THAT(said.front(), Catch::Contains("bits per weight"));

  const double none =
      fit_size(trials, {.limits = {.file = 1.0}, .start = middle(compressor)}, events);
  CHECK(none == compressor.range().strongest);
  CHECK_THAT(said.back(), Catch::Contains("nothing small enough"));
}
