#include <catch2/catch.hpp>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>

#include "formats/fairseq/fairseq.h"
#include "formats/fairseq/settings_file.h"
#include "model/base/error.h"

// The settings of language models, as the paper's code, older files of it and stock fairseq have
// them.
namespace ltz::formats {
namespace {

using Catch::Matchers::Contains;
using nlohmann::json;

const std::string kMultibranch = "transformer_lm_multibranch_v2";

ModelConfig config_of(const std::string& arch, const json& settings = json::object()) {
  json args = {{"arch", arch}};
  args.update(settings);
  return config_from_args(args);
}

void refuses(const std::string& name, const json& value, const json& others = json::object()) {
  json args = {{"arch", kMultibranch}};
  args.update(others);
  args[name] = value;
  CAPTURE(args.dump());
  REQUIRE_THROWS_AS(config_from_args(args), ConfigError);
  CHECK_THROWS_WITH(config_from_args(args), Contains("setting " + name));
}

const json kAdaptive = {{"adaptive_input", true},
                        {"adaptive_input_cutoff", "20,50"},
                        {"adaptive_softmax_cutoff", "20,50"}};

}  // namespace

TEST_CASE("language models have the defaults of their architectures") {
  struct Row {
    const char* suffix;
    int layers;
    int width;
    int ffn;
    int heads;
    Activation activation;
    bool final_norm;
    bool adaptive;
  };
  const Row row =
      GENERATE(Row{"", 6, 512, 2048, 8, Activation::kRelu, true, false},
               Row{"_big", 12, 1024, 4096, 16, Activation::kRelu, true, false},
               Row{"_wiki103", 16, 1024, 4096, 8, Activation::kRelu, false, true},
               Row{"_baevski_wiki103", 16, 1024, 4096, 8, Activation::kRelu, false, true},
               Row{"_wiki103_small", 12, 512, 512, 8, Activation::kRelu, false, true},
               Row{"_gbw", 12, 512, 4096, 16, Activation::kRelu, false, false},
               Row{"_baevski_gbw", 12, 512, 4096, 16, Activation::kRelu, false, false},
               Row{"_gpt", 12, 768, 3072, 12, Activation::kGelu, true, false},
               Row{"_gpt2_small", 24, 1024, 4096, 16, Activation::kGelu, true, false},
               Row{"_gpt2_medium", 36, 1280, 5120, 20, Activation::kGelu, true, false},
               Row{"_gpt2_big", 48, 1600, 6400, 25, Activation::kGelu, true, false});
  for (const std::string& prefix : {kMultibranch, std::string("transformer_lm")}) {
    CAPTURE(prefix, row.suffix);
    const ModelConfig config = config_of(prefix + row.suffix);
    CHECK(is_language_model(config));
    CHECK(config.encoder == StackConfig{.layers = 0});
    CHECK(config.decoder.layers == row.layers);
    CHECK(config.decoder.embed_dim == row.width);
    CHECK(config.decoder.ffn_embed_dim == row.ffn);
    CHECK(config.decoder.attention_heads == row.heads);
    CHECK(config.decoder.normalize_before);
    CHECK(config.decoder.final_norm == row.final_norm);
    CHECK(config.decoder.branches.empty());
    CHECK(config.activation == row.activation);
    const std::vector<int> cutoffs = row.adaptive ? std::vector{20000, 60000} : std::vector<int>();
    CHECK(config.adaptive_input.cutoffs == cutoffs);
    CHECK(config.adaptive_softmax.cutoffs == cutoffs);
    CHECK(config.adaptive_input.factor == 4.0);
    CHECK(config.tie_adaptive_weights == row.adaptive);
    CHECK(config.tie_adaptive_proj == row.adaptive);
    CHECK_FALSE(config.share_decoder_input_output_embed);
    CHECK(config.max_target_positions == 1024);
  }
  CHECK_THROWS_WITH(config_of("transformer_lm_wiki104"),
                    Contains("setting arch: expected one of transformer_lm, transformer_lm_big"));
}

TEST_CASE("cutoffs come as text, one number, a list or a tuple; None means none") {
  const auto cutoffs = [](const json& value) {
    json settings = kAdaptive;
    settings["adaptive_softmax_cutoff"] = value;
    return config_of(kMultibranch, settings).adaptive_softmax.cutoffs;
  };
  CHECK(cutoffs("20,50") == std::vector{20, 50});
  CHECK(cutoffs("20, 50") == std::vector{20, 50});
  CHECK(cutoffs("[20, 50]") == std::vector{20, 50});
  CHECK(cutoffs("(20, 50)") == std::vector{20, 50});
  CHECK(cutoffs("100") == std::vector{100});
  CHECK(cutoffs(100) == std::vector{100});
  CHECK(cutoffs({20, 50}) == std::vector{20, 50});
  CHECK(cutoffs(nullptr).empty());
  for (const json& bad : {json("20;50"), json("20,,50"), json("a"), json({20, "b"}), json(-5),
                          json(20.5), json(true), json({{"a", 1}})}) {
    refuses("adaptive_softmax_cutoff", bad, {{"adaptive_input", false}});
  }
  refuses("adaptive_input_cutoff", nullptr, {{"adaptive_input", true}});
}

TEST_CASE("factors may be fractions") {
  json settings = kAdaptive;
  settings["adaptive_input_factor"] = 2.5;
  settings["adaptive_softmax_factor"] = 3;
  const ModelConfig config = config_of(kMultibranch, settings);
  CHECK(config.adaptive_input.factor == 2.5);
  CHECK(config.adaptive_softmax.factor == 3.0);
  // Without an adaptive softmax it has no effect, and two models do not differ in it.
  CHECK(config_of(kMultibranch, {{"adaptive_softmax_factor", 7}}).adaptive_softmax ==
        BandsConfig());
  refuses("adaptive_input_factor", "two", kAdaptive);
  for (const double bad : {0.0, -1.0, 0.5, 1e300, std::numeric_limits<double>::infinity(),
                           std::numeric_limits<double>::quiet_NaN()}) {
    CAPTURE(bad);
    json broken = kAdaptive;
    broken["arch"] = kMultibranch;
    broken["vocabulary_size"] = 100;
    broken["adaptive_input_factor"] = bad;
    CHECK_THROWS_WITH(config_from_settings(broken), Contains("adaptive_input_factor"));
  }
}

TEST_CASE("the final norm of a language model, as settings of several ages say it") {
  const auto final_norm = [](const json& settings) {
    return config_of(kMultibranch, settings).decoder.final_norm;
  };
  CHECK(final_norm(json::object()));
  CHECK_FALSE(final_norm({{"no_decoder_final_norm", true}}));
  CHECK(final_norm({{"no_decoder_final_norm", false}}));
  CHECK_FALSE(final_norm({{"decoder_final_norm", false}}));
  CHECK(final_norm({{"decoder_final_norm", true}}));
  // Files of before that setting had none.
  CHECK_FALSE(final_norm({{"no_tie_adaptive_proj", true}}));
  CHECK_FALSE(final_norm({{"no_tie_adaptive_proj", false}}));
  // Whatever a file says: no language model is post-norm.
  CHECK(config_of(kMultibranch, {{"decoder_normalize_before", false}}).decoder.normalize_before);
}

TEST_CASE("what is tied, as settings of several ages say it") {
  const auto tied = [](const json& settings) {
    json all = kAdaptive;
    all.update(settings);
    return config_of(kMultibranch, all);
  };
  CHECK_FALSE(tied(json::object()).tie_adaptive_weights);
  CHECK(tied({{"tie_adaptive_weights", true}}).tie_adaptive_weights);
  CHECK_FALSE(tied({{"tie_adaptive_weights", true}}).tie_adaptive_proj);
  CHECK(tied({{"tie_adaptive_weights", true}, {"tie_adaptive_proj", true}}).tie_adaptive_proj);
  CHECK(tied({{"tie_adaptive_weights", true}, {"no_tie_adaptive_proj", false}}).tie_adaptive_proj);
  CHECK_FALSE(
      tied({{"tie_adaptive_weights", true}, {"no_tie_adaptive_proj", true}}).tie_adaptive_proj);
  // Projections are only tied behind tied tables.
  CHECK_FALSE(tied({{"tie_adaptive_proj", true}}).tie_adaptive_proj);
  // Without effect beside an adaptive softmax.
  CHECK_FALSE(tied({{"share_decoder_input_output_embed", true}}).share_decoder_input_output_embed);
  CHECK(config_of(kMultibranch, {{"share_decoder_input_output_embed", true}})
            .share_decoder_input_output_embed);
}

TEST_CASE("the widths of a language model's input and output") {
  const auto widths = [](int input, int output, bool tie, const std::string& arch) {
    json settings = kAdaptive;
    settings.update({{"decoder_input_dim", input},
                     {"decoder_output_dim", output},
                     {"tie_adaptive_weights", tie}});
    return config_of(arch, settings).decoder_input_dim;
  };
  CHECK(widths(512, 512, true, kMultibranch) == 0);
  CHECK(widths(128, 128, true, kMultibranch) == 128);
  CHECK(widths(128, 99, false, kMultibranch) == 128);  // which that code never looks at
  CHECK_THROWS_WITH(widths(128, 512, true, kMultibranch),
                    Contains("setting decoder_output_dim: expected 128, found 512"));
  CHECK_THROWS_WITH(widths(128, 99, false, "transformer_lm"),
                    Contains("setting decoder_output_dim: expected 512, found 99"));
}

TEST_CASE("branches, kernels and positions of a language model") {
  const json branches = {{"decoder_layers", 2},
                         {"decoder_embed_dim", 64},
                         {"decoder_branch_type", {"attn:1:32:4", "dynamic:default:32:4"}},
                         {"conv_linear", true}};
  const auto with = [&](const json& settings) {
    json all = branches;
    all.update(settings);
    return config_of(kMultibranch, all);
  };
  const ModelConfig config = with({{"decoder_kernel_size_list", {15, 31, 63}}});
  REQUIRE(config.decoder.branches.size() == 2);
  CHECK(config.decoder.branches[1].glu);
  CHECK(config.decoder.kernel_sizes == std::vector{15, 31});
  CHECK(with({{"decoder_kernel_size_list", {7}}}).decoder.kernel_sizes == std::vector{7, 7});
  CHECK(with(json::object()).decoder.kernel_sizes == std::vector{3, 7});
  CHECK_FALSE(with({{"decoder_glu", false}}).decoder.branches[1].glu);
  CHECK_FALSE(with({{"conv_linear", false}}).decoder.branches[1].glu);
  CHECK_THROWS_WITH(with({{"decoder_layers", 4}, {"decoder_kernel_size_list", {3, 7}}}),
                    Contains("decoder_kernel_size_list"));
  // As long as the blocks that it was trained on, unless something else is said.
  CHECK(with({{"tokens_per_sample", 3072}}).max_target_positions == 3072);
  CHECK(with({{"tokens_per_sample", 3072}, {"max_target_positions", 512}}).max_target_positions ==
        512);
  CHECK(with({{"add_bos_token", true}}).add_bos_token);
  CHECK_FALSE(with({{"no_token_positional_embeddings", true}}).token_positional_embeddings);
  CHECK(with({{"decoder_learned_pos", true}}).decoder.learned_positions);
  CHECK(with({{"activation_fn", "gelu_fast"}}).activation == Activation::kGeluTanh);
}

TEST_CASE("what a language model may not ask for is refused by its name") {
  refuses("output_dictionary_size", 100);
  refuses("output_dictionary_size", 0);
  CHECK_NOTHROW(config_of(kMultibranch, {{"output_dictionary_size", -1}}));
  refuses("activation_fn", "swish");
  refuses("decoder_layers", -1);
  refuses("decoder_layers_to_keep", "0,2");
  refuses("decoder_branch_type", json::array({"attn:1:32"}));
  // The paper's code stores this setting and has no such embeddings; stock fairseq has them.
  CHECK_NOTHROW(config_of(kMultibranch, {{"character_embeddings", true}}));
  CHECK_THROWS_WITH(config_of("transformer_lm", {{"character_embeddings", true}}),
                    Contains("setting character_embeddings"));
}

}  // namespace ltz::formats
