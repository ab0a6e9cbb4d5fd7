#include "eval/budget/gates.h"

#include <catch2/catch.hpp>

#include "eval/budget/accounting.h"
#include "model/base/error.h"

namespace ltz::eval {
namespace {

Measured measured() {
  Measured result;
  result.size.bytes = {.artifact = 1000, .embedding = 300, .vocabulary = 100, .model = 600};
  result.size.file_ratio = 8.0;
  result.size.model_ratio = 10.0;
  result.size.paper_ratio = 18.2;
  return result;
}

}  // namespace

TEST_CASE("each ratio is made of its own bytes") {
  ModelConfig config;
  config.share_all_embeddings = true;
  config.source_vocabulary_size = config.target_vocabulary_size = 1000;
  const ParameterCounts counts = count_parameters(config);
  const SizeReport report = size_report(
      config, {.artifact = 1000, .embedding = 300, .vocabulary = 100, .model = 600}, 5000);
  CHECK(report.fp32 == 4 * counts.total);
  CHECK(report.file_ratio == Approx(4.0 * static_cast<double>(counts.total) / 1000));
  CHECK(report.model_ratio == Approx(4.0 * static_cast<double>(counts.non_embedding) / 600));
  CHECK(report.paper_ratio == Approx(4.0 * 5000 / 600));
  CHECK(report.bits_per_weight == Approx(8.0 * 600 / static_cast<double>(counts.non_embedding)));
}

TEST_CASE("a limit that is just met passes") {
  const auto gates = check_gates({.min_ratios = {{"paper", 18.2}}, .max_bytes = 1000}, measured());
  REQUIRE(gates.size() == 2);
  CHECK(gates[0].name == "min-ratio paper");
  CHECK(all_passed(gates));
}

TEST_CASE("one failed gate fails all") {
  const auto gates =
      check_gates({.min_ratios = {{"file", 8.1}, {"model", 9.0}}, .max_bytes = 999}, measured());
  REQUIRE(gates.size() == 3);
  CHECK_FALSE(gates[0].passed);
  CHECK(gates[1].passed);
  CHECK_FALSE(gates[2].passed);
  CHECK_FALSE(all_passed(gates));
}

TEST_CASE("gates on quality need a measurement") {
  CHECK_THROWS_AS(check_gates({.max_bleu_drop = 0.1}, measured()), ConfigError);
  CHECK_THROWS_AS(check_gates({.min_bleu = 30.0}, measured()), ConfigError);
  CHECK_THROWS_AS(check_gates({.max_nll_increase = 0.1}, measured()), ConfigError);
  CHECK_THROWS_AS(check_gates({.max_growth = 1.0}, measured()), ConfigError);
  Measured with_quality = measured();
  with_quality.reference = {.bleu = 40.0, .nll = 1.25};
  with_quality.artifact = {.bleu = 39.8, .nll = 1.5};
  const auto gates =
      check_gates({.max_bleu_drop = 0.1, .min_bleu = 39.8, .max_nll_increase = 0.25}, with_quality);
  REQUIRE(gates.size() == 3);
  CHECK_FALSE(gates[0].passed);
  CHECK(gates[0].value == Approx(0.2));
  CHECK(gates[1].passed);
  CHECK(gates[2].passed);
}

TEST_CASE("bits per weight have a gate") {
  Measured result = measured();
  result.size.bits_per_weight = 3.01;
  CHECK_FALSE(check_gates({.max_bits = 3.0}, result).front().passed);
  CHECK(check_gates({.max_bits = 3.01}, result).front().passed);
}

TEST_CASE("by the interval a gate fails only where all of it is beyond the limit") {
  Measured result = measured();
  result.reference.bleu = 40.0;
  result.artifact.bleu = 39.0;
  result.drop_interval = {0.4, 1.6};
  result.bleu_interval = {38.0, 39.9};
  const auto passes = [&](double most_drop, double least_bleu, bool by_interval) {
    return all_passed(check_gates(
        {.max_bleu_drop = most_drop, .min_bleu = least_bleu, .by_interval = by_interval}, result));
  };
  CHECK_FALSE(passes(0.5, 0.0, false));
  CHECK(passes(0.5, 39.5, true));
  CHECK_FALSE(passes(0.3, 0.0, true));
  CHECK_FALSE(passes(5.0, 39.95, true));
}

TEST_CASE("growth is that of bytes, of NLL, and of what is lost of BLEU") {
  Measured result = measured();
  result.artifact = {.bleu = 39.6, .nll = 1.02};
  result.previous = {.bytes = 990, .quality = {.bleu = 40.0, .nll = 1.0}};
  const auto gates = check_gates({.max_growth = 1.5}, result);
  REQUIRE(gates.size() == 3);
  CHECK(gates[0].value == Approx(100.0 * 10.0 / 990.0));
  CHECK(gates[0].passed);
  CHECK(gates[1].value == Approx(1.0));
  CHECK(gates[1].passed);
  CHECK(gates[2].value == Approx(2.0));
  CHECK_FALSE(gates[2].passed);
  // A smaller and better one shrinks.
  result.previous = {.bytes = 2000, .quality = {.bleu = 30.0, .nll = 2.0}};
  CHECK(all_passed(check_gates({.max_growth = 0.0}, result)));
}

TEST_CASE("ratio limits are parsed") {
  CHECK(parse_ratio_limit("paper=18.2").ratio == "paper");
  CHECK(parse_ratio_limit("file=4").limit == 4.0);
  CHECK_THROWS_WITH(parse_ratio_limit("18.2"), Catch::Contains("file=18.2, model=18.2"));
  for (const char* text : {"", "18.2", "paper", "paper=", "size=3", "paper=x", "paper=1x", "=3",
                           "paper=inf", "paper=0", "file=-1"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(parse_ratio_limit(text), ConfigError);
  }
}

TEST_CASE("percentages are parsed") {
  CHECK(parse_percentage("1%") == 1.0);
  CHECK(parse_percentage("0.5%") == 0.5);
  for (const char* text : {"", "1", "%", "-1%", "x%", "inf%", "1%%"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(parse_percentage(text), ConfigError);
  }
}

}  // namespace ltz::eval
