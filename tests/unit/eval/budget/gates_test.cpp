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

TEST_CASE("BLEU gates need a measurement") {
  CHECK_THROWS_AS(check_gates({.max_bleu_drop = 0.1}, measured()), ConfigError);
  CHECK_THROWS_AS(check_gates({.min_bleu = 30.0}, measured()), ConfigError);
  Measured with_bleu = measured();
  with_bleu.bleu_reference = 40.0;
  with_bleu.bleu_artifact = 39.8;
  const auto gates = check_gates({.max_bleu_drop = 0.1, .min_bleu = 39.8}, with_bleu);
  CHECK_FALSE(gates[0].passed);
  CHECK(gates[0].value == Approx(0.2));
  CHECK(gates[1].passed);
}

TEST_CASE("ratio limits are parsed") {
  CHECK(parse_ratio_limit("18.2").ratio == "paper");
  CHECK(parse_ratio_limit("file=4").limit == 4.0);
  for (const char* text :
       {"", "paper", "paper=", "size=3", "paper=x", "paper=1x", "=3", "paper=inf"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(parse_ratio_limit(text), ConfigError);
  }
}

}  // namespace ltz::eval
