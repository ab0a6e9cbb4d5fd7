#include <catch2/catch.hpp>
#include <limits>
#include <string>

#include "formats/fairseq/fairseq.h"
#include "model/base/error.h"
#include "tests/unit/formats/fairseq/tiny_args.h"

using namespace ltz;
using namespace ltz::formats;
using namespace ltz::test;
using Catch::Matchers::Contains;
using nlohmann::json;

namespace {

void refuses_setting(const std::string& name, const json& value) {
  json args = tiny_args();
  args[name] = value;
  CAPTURE(args.dump());
  REQUIRE_THROWS_AS(config_from_args(args), ConfigError);
  CHECK_THROWS_WITH(config_from_args(args), Contains("setting " + name));
}

}  // namespace

TEST_CASE("settings that are missing have the architecture's defaults") {
  const ModelConfig base = config_from_args({{"arch", "transformer_wmt_en_de"}});
  CHECK(base.encoder.embed_dim == 512);
  CHECK(base.encoder.ffn_embed_dim == 2048);
  CHECK(base.decoder.attention_heads == 8);
  CHECK(base.encoder.layers == 6);
  CHECK(base.weight_softmax);
  CHECK(base.token_positional_embeddings);
  CHECK(base.max_source_positions == 1024);
  CHECK_FALSE(base.encoder.final_norm);

  const ModelConfig iwslt = config_from_args({{"arch", "transformer_multibranch_v2_iwslt_de_en"}});
  CHECK(iwslt.decoder.ffn_embed_dim == 1024);
  CHECK(iwslt.encoder.attention_heads == 4);
  CHECK(iwslt.encoder.branches.empty());

  const ModelConfig big = config_from_args({{"arch", "transformer_wmt_en_de_big_t2t"}});
  CHECK(big.decoder.embed_dim == 1024);
  CHECK(big.decoder.final_norm);
}

TEST_CASE("the decoder follows the encoder's width only in the base architecture") {
  CHECK(config_from_args({{"arch", "transformer"}, {"encoder_embed_dim", 64}}).decoder.embed_dim ==
        64);
  CHECK(config_from_args({{"arch", "transformer_iwslt_de_en"}, {"encoder_embed_dim", 64}})
            .decoder.embed_dim == 512);
}

TEST_CASE("branches and kernel sizes") {
  json args = {{"arch", "transformer_multibranch_v2"},
               {"encoder_layers", 2},
               {"encoder_branch_type", {"attn:1:248:4", "dynamic:default:248:4"}},
               {"decoder_branch_type", {"lightweight:5:496:8"}},
               {"encoder_kernel_size_list", {3, 7, 15}},
               {"decoder_kernel_size_list", {9}}};
  const ModelConfig config = config_from_args(args);
  REQUIRE(config.encoder.branches.size() == 2);
  CHECK(config.encoder.branches[1] == BranchConfig{BranchType::kDynamic, 0, 248, 4});
  CHECK(config.decoder.branches[0] == BranchConfig{BranchType::kLightweight, 5, 496, 8});
  CHECK(config.encoder.kernel_sizes == std::vector<int>{3, 7});
  CHECK(config.decoder.kernel_sizes == std::vector<int>(6, 9));

  args["encoder_layers"] = 4;
  CHECK_THROWS_WITH(config_from_args(args), Contains("setting encoder_kernel_size_list") &&
                                                Contains("expected 4") && Contains("found 3"));
  args["encoder_layers"] = 2;
  for (const char* bad : {"attn", "attn:1:248", "attn:1:248:4:5", "fft:1:248:4", "attn:x:248:4",
                          "attn:1:-248:4", "attn:1:248:", "attn:1:99999999999:4", ""}) {
    args["encoder_branch_type"] = {bad};
    CHECK_THROWS_WITH(config_from_args(args), Contains("setting encoder_branch_type"));
  }
}

TEST_CASE("sharing all embeddings includes the output projection") {
  json args = tiny_args();
  args["share_all_embeddings"] = true;
  CHECK(config_from_args(args).share_decoder_input_output_embed);
}

TEST_CASE("what cannot be computed is refused by the setting's name") {
  refuses_setting("arch", "fconv");
  refuses_setting("arch", "fconv_self_att_wp");
  refuses_setting("arch", nullptr);
  refuses_setting("adaptive_input", true);
  refuses_setting("adaptive_softmax_cutoff", "1000,2000");
  refuses_setting("layernorm_embedding", true);
  refuses_setting("cross_self_attention", true);
  refuses_setting("no_cross_attention", true);
  refuses_setting("no_scale_embedding", true);
  refuses_setting("encoder_decoder_branch_type", {"attn:1:4:1"});
  refuses_setting("decoder_output_dim", 8);
  refuses_setting("decoder_input_dim", 8);
  refuses_setting("activation_fn", "swish");
  refuses_setting("encoder_layers", -1);
  refuses_setting("encoder_layers", 1 << 30);
  refuses_setting("encoder_layers", "6");
  refuses_setting("encoder_layers", 6.5);
  refuses_setting("encoder_embed_dim", std::numeric_limits<std::int64_t>::max());
  refuses_setting("encoder_learned_pos", 2);
  refuses_setting("encoder_learned_pos", "True");
  refuses_setting("scale_heads", true);
  refuses_setting("encoder_layers_to_keep", "0,2");
  CHECK_THROWS_AS(config_from_args(json::array()), ConfigError);

  json harmless = tiny_args();
  harmless.update({{"adaptive_input", false},
                   {"adaptive_softmax_cutoff", nullptr},
                   {"encoder_layerdrop", 0.1},
                   {"dropout", 0.3},
                   {"weight_dropout", 0.1},
                   // fairseq's layers have their feed-forward network whatever this says.
                   {"encoder_ffn_list", {true, false}}});
  CHECK_NOTHROW(config_from_args(harmless));
}

TEST_CASE("numbers may be of another type, as long as they are whole") {
  json args = tiny_args();
  args["encoder_layers"] = static_cast<double>(args["encoder_layers"].get<int>());
  args["encoder_learned_pos"] = 0.0;
  args["max_source_positions"] = std::numeric_limits<std::int64_t>::max();
  args["max_target_positions"] = 1e30;
  const ModelConfig config = config_from_args(args);
  CHECK(config.encoder == config_from_args(tiny_args()).encoder);
  CHECK(config.max_source_positions == config.max_target_positions);
  CHECK(config.max_source_positions > 1'000'000);
  args["max_source_positions"] = 512.0;
  CHECK(config_from_args(args).max_source_positions == 512);
  refuses_setting("max_source_positions", 0.5);
  refuses_setting("max_source_positions", -1e30);
  refuses_setting("encoder_layers", std::numeric_limits<double>::infinity());
  refuses_setting("encoder_layers", std::numeric_limits<double>::quiet_NaN());
}

TEST_CASE("flags may be numbers, lists of kernels strings") {
  json args = {{"arch", "transformer_multibranch_v2"},
               {"encoder_layers", 2},
               {"encoder_branch_type", {"dynamic:default:512:4"}},
               {"encoder_kernel_size_list", "[3, 7]"},
               {"conv_linear", 1},
               {"encoder_glu", 1},
               {"encoder_normalize_before", 0}};
  ModelConfig config = config_from_args(args);
  CHECK(config.conv_linear);
  CHECK(config.encoder.branches[0].glu);
  CHECK_FALSE(config.encoder.normalize_before);
  CHECK(config.encoder.kernel_sizes == std::vector<int>{3, 7});
  args["encoder_glu"] = 0;
  CHECK_FALSE(config_from_args(args).encoder.branches[0].glu);
  args["encoder_glu"] = 1;
  args["conv_linear"] = false;  // a GLU needs linear1
  CHECK_FALSE(config_from_args(args).encoder.branches[0].glu);

  for (const json& sizes : {json("5,9"), json("(5, 9)"), json(" [5,9] "), json({5, 9})}) {
    args["encoder_kernel_size_list"] = sizes;
    CHECK(config_from_args(args).encoder.kernel_sizes == std::vector<int>{5, 9});
  }
  for (const json& sizes : {json("9"), json("[9]"), json(9), json({9})}) {
    args["encoder_kernel_size_list"] = sizes;
    CHECK(config_from_args(args).encoder.kernel_sizes == std::vector<int>{9, 9});
  }
  for (const json& sizes :
       {json("[3]*2"), json("[3,7"), json("[3,,7]"), json("[]"), json(""), json("three"),
        json({3, "7"}), json({3, -7}), json({3, 7.5}), json("[3,9999999999]"), json(true)}) {
    args["encoder_kernel_size_list"] = sizes;
    CAPTURE(sizes.dump());
    CHECK_THROWS_WITH(config_from_args(args), Contains("setting encoder_kernel_size_list"));
  }
}

TEST_CASE("the encoder finds a branch's type anywhere, the decoder in front") {
  json args = {{"arch", "transformer_multibranch_v2"},
               {"encoder_branch_type", {"my-lightweight-dynamic:3:256:4", "self_attn:1:256:4"}},
               {"decoder_branch_type", {"dynamic:3:512:4"}}};
  const ModelConfig config = config_from_args(args);
  CHECK(config.encoder.branches[0].type == BranchType::kLightweight);
  CHECK(config.encoder.branches[1].type == BranchType::kAttention);
  CHECK(config.decoder.branches[0].type == BranchType::kDynamic);
  args["decoder_branch_type"] = json::array();
  CHECK_THROWS_WITH(config_from_args(args), Contains("setting decoder_branch_type"));
  args["decoder_branch_type"] = {"self_attn:1:512:4"};
  CHECK_THROWS_WITH(config_from_args(args), Contains("setting decoder_branch_type"));
}
