#include "eval/scores/bootstrap.h"

#include <catch2/catch.hpp>
#include <numeric>
#include <set>

#include "model/base/error.h"

namespace ltz::eval {
namespace {

std::vector<double> ramp(std::size_t count) {
  std::vector<double> values(count);
  std::iota(values.begin(), values.end(), 0.0);
  return values;
}

}  // namespace

TEST_CASE("a sample draws as many sentences as there are, all of them equally often") {
  std::vector<int> drawn(5);
  const SampleScore count = [&](std::span<const std::size_t> sentences) {
    CHECK(sentences.size() == 5);
    for (const std::size_t sentence : sentences) {
      ++drawn.at(sentence);
    }
    return 0.0;
  };
  bootstrap(5, count, {.samples = 2000});
  for (const int times : drawn) {
    // 10000 draws: 2000 each, give or take four standard deviations.
    CHECK(times == Approx(2000).margin(160));
  }
}

TEST_CASE("the samples are the same everywhere") {
  std::vector<std::size_t> drawn;
  const SampleScore remember = [&](std::span<const std::size_t> sentences) {
    drawn.assign(sentences.begin(), sentences.end());
    return 0.0;
  };
  bootstrap(10, remember, {.samples = 1, .seed = 5489});
  // The first numbers of the 64-bit Mersenne Twister (Nishimura 2000) with that seed, modulo 10.
  CHECK(drawn == std::vector<std::size_t>{0, 8, 0, 2, 6, 8, 9, 8, 6, 2});
}

TEST_CASE("confidence of a mean is near to what statistics says") {
  // 0 to 99: standard error sqrt((100^2 - 1) / 12 / 100) = 2.887, 1.96 times that is 5.66.
  const Confidence confidence = bootstrap(100, mean_of_sample(ramp(100)), {.samples = 4000});
  CHECK(confidence.mean == Approx(49.5).margin(0.2));
  CHECK(confidence.half_width == Approx(5.66).margin(0.3));
  CHECK(bootstrap(100, mean_of_sample(ramp(100)), {.samples = 4000}).half_width ==
        confidence.half_width);
  CHECK(bootstrap(100, mean_of_sample(ramp(100)), {.samples = 4000, .seed = 1}).half_width !=
        confidence.half_width);
}

TEST_CASE("one sentence, or equal ones, leave no doubt") {
  CHECK(bootstrap(1, mean_of_sample({7.0}), {}).half_width == 0.0);
  CHECK(bootstrap(1, mean_of_sample({7.0}), {}).mean == Approx(7.0));
  CHECK(bootstrap(3, mean_of_sample({2.0, 2.0, 2.0}), {.samples = 1}).half_width == 0.0);
}

TEST_CASE("the interval leaves out a fortieth on each side") {
  // 80 samples that score 0 to 79: two are left out below and above, 2 to 77 remain.
  double next = 0.0;
  const SampleScore count = [&](std::span<const std::size_t>) { return next++; };
  const Confidence confidence = bootstrap(1, count, {.samples = 80});
  CHECK(confidence.half_width == (77.0 - 2.0) / 2);
  CHECK(confidence.mean == Approx(39.5));
}

TEST_CASE("a system does not differ from itself") {
  const SampleScore system = mean_of_sample(ramp(50));
  const PairedDifference difference = paired_bootstrap(50, system, system, {.samples = 200});
  CHECK(difference.observed == 0.0);
  CHECK(difference.mean == 0.0);
  CHECK(difference.low == 0.0);
  CHECK(difference.high == 0.0);
  CHECK(difference.p_value == 1.0);
}

TEST_CASE("a constant difference is certain: the systems are scored on the same samples") {
  std::vector<double> better = ramp(50);
  for (double& value : better) {
    value += 2.0;
  }
  const PairedDifference difference =
      paired_bootstrap(50, mean_of_sample(ramp(50)), mean_of_sample(better), {.samples = 99});
  CHECK(difference.observed == Approx(-2.0));
  CHECK(difference.low == Approx(-2.0));
  CHECK(difference.high == Approx(-2.0));
  CHECK(difference.p_value == Approx(0.01));
}

TEST_CASE("a difference in one sentence of many may be chance") {
  std::vector<double> better = ramp(50);
  better[7] += 50.0;
  const PairedDifference difference =
      paired_bootstrap(50, mean_of_sample(better), mean_of_sample(ramp(50)), {.samples = 1000});
  CHECK(difference.observed == Approx(1.0));
  CHECK(difference.low == 0.0);
  CHECK(difference.high == Approx(3.0));
  CHECK(difference.p_value > 0.05);
}

TEST_CASE("BLEU of a sample is BLEU of its sentences") {
  const Lines hypotheses = {"a b c d e", "a b c x y", "k l m n o p"};
  const Lines references = {"a b c d e", "a b c d e", "k l m n o q"};
  const auto statistics = bleu_statistics(hypotheses, std::span(&references, 1));
  const SampleScore sample = bleu_of_sample(statistics, BleuSmoothing::kNone);
  const std::vector<std::size_t> drawn = {2, 0, 2};
  CHECK(sample(drawn) == bleu({hypotheses[2], hypotheses[0], hypotheses[2]},
                              {references[2], references[0], references[2]})
                             .score);
}

TEST_CASE("nothing to draw from, and no sample") {
  CHECK_THROWS_AS(bootstrap(0, mean_of_sample({}), {}), ConfigError);
  CHECK_THROWS_WITH(bootstrap(1, mean_of_sample({1.0}), {.samples = 0}),
                    "expected at least one bootstrap sample, found 0");
  CHECK_THROWS_AS(paired_bootstrap(0, mean_of_sample({}), mean_of_sample({}), {}), ConfigError);
}

}  // namespace ltz::eval
