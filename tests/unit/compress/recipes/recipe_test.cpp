#include "compress/recipes/recipe.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <set>

#include "model/base/error.h"
#include "tests/support/tiny_checkpoint.h"

using namespace ltz;
using namespace ltz::compress;

TEST_CASE("presets are valid recipes with a target") {
  for (const char* name : {"paper", "balanced", "max"}) {
    const Recipe recipe = preset(name);
    CHECK(recipe.name == name);
    CHECK_NOTHROW(validate(recipe));
    CHECK(target_model_bytes(recipe, 1000000, 1e7).has_value());
  }
  CHECK_THROWS_WITH(preset("tiny"), Catch::Contains("tiny"));
  CHECK_THROWS_AS(preset(""), ConfigError);
}

TEST_CASE("the paper's preset is the paper's method") {
  const Recipe paper = preset("paper");
  const PruningMethod& method = pruning_method(paper);
  CHECK(method.bits == 8);
  CHECK(method.embedding_bits == 8);
  CHECK(method.init == KMeansInit::kLinear);
  CHECK(method.prune);
  CHECK_FALSE(method.prune_embeddings);
  // 176.6 MB / 18.2 = 9.7 MB
  CHECK(*target_model_bytes(paper, 17283616, 0.0) == Approx(4.0 * 44138496 / 18.2).epsilon(0.0001));
}

TEST_CASE("targets in bytes") {
  CHECK_FALSE(target_model_bytes(Recipe{}, 800, 3200.0).has_value());
  CHECK(target_model_bytes(Recipe{.bits_per_weight = 3.0}, 800, 3200.0) == 300.0);
  CHECK(target_model_bytes(Recipe{.paper_ratio = 16.0}, 800, 3200.0) == 200.0);
}

TEST_CASE("a recipe out of range is refused") {
  const Recipe bad[] = {
      {.method = CalibratedMethod{}},
      {.method = PruningMethod{.bits = 0}},
      {.method = PruningMethod{.bits = 9}},
      {.method = PruningMethod{.embedding_bits = 0}},
      {.method = PruningMethod{.kmeans_iterations = -1}},
      {.method = PruningMethod{.max_sparsity = 1.5}},
      {.method = PruningMethod{.sparsity = -0.1}},
      {.method = PruningMethod{.sparsity = std::nan("")}},
      {.paper_ratio = 0.0},
      {.bits_per_weight = -3.0},
      {.method = PruningMethod{.sparsity = 0.5}, .paper_ratio = 10.0},
      {.paper_ratio = 18.2, .bits_per_weight = 3.0},
      {.method = CalibratedMethod{.max_divergence = 0.01}, .bits_per_weight = 2.0},
      {.method = CalibratedMethod{.max_bits_per_weight = 3.0}, .bits_per_weight = 2.0},
      {.method = CalibratedMethod{.max_divergence = 0.0, .max_bits_per_weight = 3.0},
       .bits_per_weight = 2.0},
      {.method = CalibratedMethod{.max_divergence = 0.01, .max_bits_per_weight = 3.0},
       .paper_ratio = 18.2},
      {.overrides = {{.bits = 4}}},
      {.overrides = {{.pattern = "*", .bits = 12}}},
      {.overrides = {{.pattern = "*", .sparsity = 2.0}}},
      {.overrides = {{.pattern = "*", .bits = 4, .keep_float = true}}},
      {.overrides = {{.pattern = "*", .care = 0.0}}},
      {.overrides = {{.pattern = "*", .care = INFINITY}}},
      {.overrides = {{.pattern = "*", .keep_float = true, .care = 2.0}}},
  };
  for (const Recipe& recipe : bad) {
    CHECK_THROWS_AS(validate(recipe), ConfigError);
  }
  CHECK_NOTHROW(validate(Recipe{}));
  CHECK_NOTHROW(validate(Recipe{.overrides = {{.pattern = "*", .care = 2.0}}}));
  CHECK_NOTHROW(
      validate(Recipe{.method = CalibratedMethod{.max_divergence = 0.01,
                                                 .max_bits_per_weight = 3.0,
                                                 .without = {Technique::kRates},
                                                 .layer_norm_repair = Slope::kLeastSquares},
                      .bits_per_weight = 2.0}));
}

TEST_CASE("a recipe of the other method is refused by name") {
  CHECK_THROWS_WITH(pruning_method(preset("max")), Catch::Contains("recipe max"));
  CHECK_THROWS_WITH(calibrated_method(preset("paper")), Catch::Contains("recipe paper"));
}

TEST_CASE("every technique is used unless the recipe does without it, and has a name") {
  std::set<std::string_view> names;
  for (const Technique technique : all_techniques()) {
    CHECK(CalibratedMethod{}.uses(technique));
    CHECK_FALSE(CalibratedMethod{.without = {technique}}.uses(technique));
    CHECK(names.insert(to_string(technique)).second);
    CHECK_FALSE(to_string(technique).empty());
  }
  CHECK(names.size() == 10);
}

TEST_CASE("an override has to be about a matrix or a table of the model") {
  const ModelConfig config = tiny_checkpoint(1).config;
  const auto check = [&](const std::string& pattern) {
    require_matches({.overrides = {{.pattern = pattern, .bits = 4}}}, config);
  };
  CHECK_NOTHROW(check("*"));
  CHECK_NOTHROW(check("encoder.layers.?.fc1.weight"));
  for (const char* pattern :
       {"encoder.layers.0.fc1", "encoder.layers.7.*", "*.bias", "Encoder.*"}) {
    CAPTURE(pattern);
    CHECK_THROWS_AS(check(pattern), ConfigError);
    CHECK_THROWS_WITH(check(pattern), Catch::Contains(pattern));
  }
}
