#include "formats/records/recipe_toml.h"

#include <catch2/catch.hpp>
#include <set>

#include "model/base/error.h"

using namespace ltz;

TEST_CASE("an override may ask for care") {
  const compress::Recipe recipe = formats::parse_recipe(
      "preset = \"max\"\n"
      "[[tensor]]\n"
      "pattern = \"decoder.*\"\n"
      "care = 2.5\n"
      "[[tensor]]\n"
      "pattern = \"encoder.*\"\n",
      "recipe.toml");
  CHECK(recipe.calibrated() != nullptr);
  REQUIRE(recipe.overrides.size() == 2);
  CHECK(recipe.overrides[0].pattern == "decoder.*");
  CHECK(recipe.overrides[0].care == 2.5);
  CHECK_FALSE(recipe.overrides[1].care.has_value());
}

TEST_CASE("care that makes no sense is refused by file and pattern") {
  const auto parse = [](const std::string& care) {
    formats::parse_recipe(
        "preset = \"max\"\n[[tensor]]\npattern = \"decoder.*\"\ncare = " + care + "\n", "r.toml");
  };
  CHECK_THROWS_AS(parse("\"much\""), FormatError);
  for (const char* care : {"0.0", "-1.0", "inf", "nan"}) {
    CHECK_THROWS_AS(parse(care), ConfigError);
    CHECK_THROWS_WITH(parse(care), Catch::Contains("r.toml") && Catch::Contains("decoder.*: care"));
  }
}

TEST_CASE("a recipe may do without techniques") {
  const compress::Recipe recipe = formats::parse_recipe(
      "preset = \"max\"\nwithout = [\"rates\", \"k-means-cells\"]\n", "r.toml");
  REQUIRE(recipe.calibrated());
  CHECK(recipe.calibrated()->without ==
        std::set<compress::Technique>{compress::Technique::kRates,
                                      compress::Technique::kKMeansCells});
  CHECK(recipe.calibrated()->uses(compress::Technique::kDescent));
  CHECK_FALSE(recipe.calibrated()->uses(compress::Technique::kRates));
  CHECK(formats::parse_recipe("preset = \"max\"\nwithout = []\n", "r.toml")
            .calibrated()
            ->without.empty());
  // Every name that is printed is read.
  for (const compress::Technique technique : compress::all_techniques()) {
    const std::string text =
        "preset = \"max\"\nwithout = [\"" + std::string(to_string(technique)) + "\"]\n";
    CHECK(formats::parse_recipe(text, "r.toml").calibrated()->without == std::set{technique});
  }
}

TEST_CASE("techniques that nobody knows are refused by file and line") {
  const auto parse = [](const std::string& without) {
    formats::parse_recipe("preset = \"max\"\nwithout = " + without + "\n", "r.toml");
  };
  CHECK_THROWS_WITH(
      parse("[\"rates\", \"magic\"]"),
      Catch::Contains("r.toml") && Catch::Contains("line 2: no technique is called \"magic\""));
  CHECK_THROWS_AS(parse("[\"magic\"]"), FormatError);
  CHECK_THROWS_AS(parse("[1]"), FormatError);
  CHECK_THROWS_AS(parse("\"rates\""), FormatError);
}

TEST_CASE("a float is an integer only where it is one") {
  const auto parse = [](const std::string& bits) {
    return formats::parse_recipe("preset = \"paper\"\nbits = " + bits + "\n", "r.toml");
  };
  CHECK(parse("4.0").pruning()->bits == 4);
  for (const char* bits : {"4.5", "4e77", "-4e77", "inf", "-inf", "nan"}) {
    CHECK_THROWS_WITH(parse(bits), Catch::Contains("line 2: bits has the wrong type"));
  }
}

TEST_CASE("a recipe may repair LayerNorms") {
  const auto repair = [](const std::string& name) {
    return formats::parse_recipe("preset = \"max\"\nlayer_norm_repair = \"" + name + "\"\n",
                                 "r.toml")
        .calibrated()
        ->layer_norm_repair;
  };
  CHECK(repair("least-squares") == compress::Slope::kLeastSquares);
  CHECK(repair("same-variance") == compress::Slope::kSameVariance);
  CHECK(compress::preset("max").calibrated()->layer_norm_repair == std::nullopt);
  CHECK_THROWS_WITH(repair("yes"),
                    Catch::Contains("r.toml: layer_norm_repair") && Catch::Contains("\"yes\""));
}

TEST_CASE("a target of the file replaces the preset's, its bounds included") {
  const auto parse = [](const std::string& lines) {
    return formats::parse_recipe("preset = \"balanced\"\n" + lines, "r.toml");
  };
  const compress::Recipe as_it_is = parse("");
  const compress::Recipe balanced = compress::preset("balanced");
  CHECK(as_it_is.calibrated()->max_divergence == balanced.calibrated()->max_divergence);
  CHECK(as_it_is.calibrated()->max_bits_per_weight == balanced.calibrated()->max_bits_per_weight);
  const compress::Recipe own = parse("bits_per_weight = 2.5\n");
  CHECK(own.bits_per_weight == 2.5);
  CHECK(own.calibrated()->max_divergence == std::nullopt);
  CHECK(own.calibrated()->max_bits_per_weight == std::nullopt);
  const compress::Recipe ratio = parse("paper_ratio = 20.0\n");
  CHECK(ratio.paper_ratio == 20.0);
  CHECK(ratio.bits_per_weight == std::nullopt);
  const compress::Recipe bounds =
      parse("bits_per_weight = 2.5\nmax_divergence = 0.01\nmax_bits_per_weight = 3.0\n");
  CHECK(bounds.calibrated()->max_divergence == 0.01);
  CHECK(bounds.calibrated()->max_bits_per_weight == 3.0);
  CHECK(parse("max_divergence = 0.01\n").calibrated()->max_bits_per_weight ==
        as_it_is.calibrated()->max_bits_per_weight);
  CHECK_THROWS_AS(parse("bits_per_weight = 2.5\nmax_divergence = 0.01\n"), ConfigError);
  CHECK_THROWS_AS(parse("bits_per_weight = 2.5\nmax_bits_per_weight = 3.0\n"), ConfigError);
  CHECK_THROWS_AS(parse("max_divergence = \"little\"\n"), FormatError);
}

TEST_CASE("targets that do not go together are refused") {
  const auto refused = [](const std::string& lines, const std::string& complaint) {
    CAPTURE(lines);
    CHECK_THROWS_AS(formats::parse_recipe(lines, "r.toml"), ConfigError);
    CHECK_THROWS_WITH(formats::parse_recipe(lines, "r.toml"), Catch::EndsWith(complaint));
  };
  const std::string two_targets = "more than one of sparsity, paper_ratio and bits_per_weight";
  refused("calibrated = true\n", "calibrated needs paper_ratio or bits_per_weight");
  refused("sparsity = 0.5\npaper_ratio = 20.0\n", two_targets);
  refused("bits_per_weight = 2.5\npaper_ratio = 20.0\n", two_targets);
  refused("bits = 9\n", "bits is 9, expected 1 to 8");
}

TEST_CASE("keys that would change nothing are refused by line and name") {
  const auto refused = [](const std::string& lines, const std::string& complaint) {
    CAPTURE(lines);
    CHECK_THROWS_AS(formats::parse_recipe(lines, "r.toml"), FormatError);
    CHECK_THROWS_WITH(formats::parse_recipe(lines, "r.toml"), "r.toml: line " + complaint);
  };
  for (const char* line :
       {"bits = 4", "embedding_bits = 4", "init = \"optimal\"", "kmeans_iterations = 3",
        "prune = false", "prune_embeddings = true", "quantize_embeddings = false",
        "max_sparsity = 0.5", "seed = 2", "sparsity = 0.5"}) {
    const std::string text(line);
    refused("preset = \"max\"\n" + text + "\n",
            "2: " + text.substr(0, text.find(' ')) + " has no effect: the recipe is calibrated");
  }
  for (const char* line : {"max_divergence = 0.01", "max_bits_per_weight = 3.0",
                           "without = [\"rates\"]", "layer_norm_repair = \"same-variance\""}) {
    const std::string text(line);
    refused(
        "preset = \"paper\"\n" + text + "\n",
        "2: " + text.substr(0, text.find(' ')) + " has no effect: the recipe is not calibrated");
  }
  const std::string tensor = "[[tensor]]\npattern = \"*\"\n";
  refused("preset = \"max\"\n" + tensor + "bits = 4\n",
          "4: bits has no effect: the recipe is calibrated");
  refused("preset = \"max\"\n" + tensor + "sparsity = 0.5\n",
          "4: sparsity has no effect: the recipe is calibrated");
  refused(tensor + "care = 2.0\n", "3: care has no effect: the recipe is not calibrated");
  refused("prune = false\nmax_sparsity = 0.5\n", "2: max_sparsity has no effect: prune is false");
  refused("quantize_embeddings = false\nembedding_bits = 4\n",
          "2: embedding_bits has no effect: quantize_embeddings is false");
  refused("seed = 3\n", "1: seed has no effect: init is neither random nor kmeans++");
  CHECK(formats::parse_recipe("init = \"random\"\nseed = 3\n", "r.toml").pruning()->seed == 3);
  refused("[finetune]\nrate_weight = 0.5\n", "2: rate_weight has no effect: free_codes is false");
  refused(tensor + "bits = 4\n" + tensor + "bits = 5\n",
          "6: bits of the pattern \"*\" is set in line 3, too");
  CHECK(formats::parse_recipe(tensor + "bits = 4\n" + tensor + "sparsity = 0.5\n", "r.toml")
            .overrides.size() == 2);
  refused("bits = 4\nbits = 5\n",
          "2: Error while parsing key-value pair: cannot redefine existing integer 'bits'");
  // With the other method they are its own.
  const compress::Recipe paper =
      formats::parse_recipe("preset = \"max\"\ncalibrated = false\nbits = 4\n", "r.toml");
  REQUIRE(paper.pruning() != nullptr);
  CHECK(paper.pruning()->bits == 4);
  CHECK(paper.bits_per_weight == 2.15);
}

TEST_CASE("a recipe may retrain") {
  const auto parse = [](const std::string& lines) {
    return formats::parse_recipe("preset = \"paper\"\n" + lines, "r.toml");
  };
  CHECK_FALSE(parse("").finetune.has_value());
  const compress::Recipe recipe = parse(
      "[finetune]\nepochs = 5\nminutes = 30.0\nlearning_rate = 1e-4\nbatch_tokens = 1000\n"
      "label_smoothing = 0.2\ndistillation = 0.7\nselect = \"bleu\"\nfree_codes = "
      "true\nrate_weight = 0.5\nseed = "
      "9\n");
  REQUIRE(recipe.finetune);
  const compress::FinetuneOptions& options = *recipe.finetune;
  CHECK(options.epochs == 5.0);
  CHECK(options.minutes == 30.0);
  CHECK(options.learning_rate == 1e-4);
  CHECK(options.batch_tokens == 1000);
  CHECK(options.finetuner.objective.label_smoothing == 0.2);
  CHECK(options.finetuner.objective.distillation == 0.7);
  CHECK(options.select == compress::Selection::kBleu);
  CHECK(options.finetuner.tensors.free_codes);
  CHECK(options.finetuner.tensors.codes.rate_weight == 0.5);
  CHECK(options.seed == 9);
  // What an empty table leaves open goes with the kind of recipe.
  const compress::Recipe plain = parse("[finetune]\n");
  REQUIRE(plain.finetune);
  CHECK_FALSE(plain.finetune->finetuner.tensors.free_codes);
  const compress::Recipe calibrated =
      formats::parse_recipe("preset = \"max\"\n[finetune]\n", "r.toml");
  REQUIRE(calibrated.finetune);
  CHECK(calibrated.finetune->finetuner.tensors.free_codes);
  CHECK_THROWS_WITH(parse("[finetune]\nepoch = 3\n"),
                    Catch::Contains("r.toml: line 3") && Catch::Contains("\"epoch\""));
  CHECK_THROWS_WITH(parse("[finetune]\nepochs = \"many\"\n"), Catch::Contains("epochs"));
  CHECK_THROWS_WITH(parse("finetune = true\n"), Catch::Contains("[finetune]"));
  for (const char* line :
       {"epochs = 0.0", "minutes = -1.0", "learning_rate = 0.0", "batch_tokens = 0",
        "label_smoothing = 1.5", "distillation = -0.1", "select = \"rouge\"",
        "free_codes = true\nrate_weight = -1.0", "epochs = nan"}) {
    CAPTURE(line);
    CHECK_THROWS_AS(parse(std::string("[finetune]\n") + line + "\n"), ConfigError);
  }
}
