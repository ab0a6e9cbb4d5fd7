#include <catch2/catch.hpp>
#include <set>
#include <string>

#include "eval/budget/accounting.h"
#include "formats/fairseq/fairseq.h"
#include "formats/fairseq/weights.h"
#include "model/base/error.h"

// Convolution-only models (Wu et al. 2019) from fairseq's checkpoints.
namespace ltz::formats {
namespace {

using Catch::Matchers::Contains;
using nlohmann::json;

json tiny_args() {
  return {{"arch", "lightconv_iwslt_de_en"},
          {"encoder_layers", 2},
          {"decoder_layers", 1},
          {"encoder_embed_dim", 4},
          {"decoder_embed_dim", 4},
          {"encoder_ffn_embed_dim", 6},
          {"decoder_ffn_embed_dim", 6},
          {"encoder_attention_heads", 2},
          {"decoder_attention_heads", 2},
          {"encoder_kernel_size_list", {3, 5}},
          {"decoder_kernel_size_list", {3}},
          {"encoder_conv_type", "lightweight"},
          {"encoder_normalize_before", true},
          {"share_decoder_input_output_embed", true}};
}

// The state_dict that belongs to args under fairseq's names, filled with consecutive numbers.
TorchCheckpoint tiny_torch(const json& args) {
  TorchCheckpoint torch{args, {}};
  ModelConfig config = config_from_args(args);
  config.source_vocabulary_size = 6;
  config.target_vocabulary_size = 5;
  float next = 0.0f;
  for (const ParameterSpec& spec : parameter_specs(config)) {
    TorchTensor tensor{TorchType::kFloat32, spec.shape, {}, {}};
    for (std::int64_t i = 0; i < element_count(spec.shape); ++i) {
      tensor.floats.push_back(next++);
    }
    torch.tensors[fairseq_name(config, spec.name)] = std::move(tensor);
  }
  for (const std::string stack : {"encoder", "decoder"}) {
    torch.tensors[stack + ".version"] = {TorchType::kFloat32, {1}, {2.0f}, {}};
    torch.tensors[stack + ".embed_positions._float_tensor"] = {
        TorchType::kFloat32, {1}, {0.0f}, {}};
  }
  return torch;
}

Checkpoint load(TorchCheckpoint torch) {
  return checkpoint_from_torch(std::move(torch), Vocabulary({"a", "b"}), Vocabulary({"x"}), {},
                               "f.pt");
}

void refuses_setting(const std::string& name, const json& value) {
  json args = tiny_args();
  args[name] = value;
  CAPTURE(args.dump());
  REQUIRE_THROWS_AS(config_from_args(args), ConfigError);
  CHECK_THROWS_WITH(config_from_args(args), Contains("setting " + name));
}

ModelConfig with_vocabulary(const char* arch, int words) {
  ModelConfig config = config_from_args({{"arch", arch}, {"share_all_embeddings", true}});
  config.source_vocabulary_size = config.target_vocabulary_size = words;
  return config;
}

}  // namespace

TEST_CASE("lightconv architectures have their defaults", "[lightconv]") {
  const ModelConfig base = config_from_args({{"arch", "lightconv"}, {"encoder_embed_dim", 256}});
  CHECK(base.encoder.layers == 7);
  CHECK(base.decoder.layers == 6);
  CHECK(base.decoder.embed_dim == 256);
  CHECK(base.decoder.ffn_embed_dim == 2048);
  CHECK(base.encoder.kernel_sizes == std::vector<int>{3, 7, 15, 31, 31, 31, 31});
  CHECK(base.decoder.kernel_sizes == std::vector<int>{3, 7, 15, 31, 31, 31});
  CHECK(base.encoder.branches == std::vector{BranchConfig{BranchType::kDynamic, 0, 256, 8, true}});
  CHECK(base.conv_linear);
  CHECK(base.weight_softmax);
  CHECK_FALSE(base.encoder.final_norm);

  const ModelConfig iwslt = config_from_args({{"arch", "lightconv_iwslt_de_en"}});
  CHECK(iwslt.encoder.ffn_embed_dim == 1024);
  CHECK(iwslt.decoder.branches == std::vector{BranchConfig{BranchType::kDynamic, 0, 512, 4}});

  for (const char* arch :
       {"lightconv_wmt_en_de_big", "lightconv_wmt_en_fr_big", "lightconv_wmt_zh_en_big"}) {
    const ModelConfig big =
        config_from_args({{"arch", arch}, {"encoder_conv_type", "lightweight"}});
    CHECK(big.decoder.embed_dim == 1024);
    CHECK(big.encoder.ffn_embed_dim == 4096);
    CHECK(big.decoder.attention_heads == 16);
    CHECK(big.encoder.branches ==
          std::vector{BranchConfig{BranchType::kLightweight, 0, 1024, 16, true}});
  }
}

TEST_CASE("lightconv settings", "[lightconv]") {
  json args = tiny_args();
  args.update({{"encoder_conv_dim", 8},
               {"encoder_glu", 1},
               {"no_decoder_final_norm", true},
               {"decoder_normalize_before", true},
               {"activation_fn", "gelu"}});
  const ModelConfig config = config_from_args(args);
  CHECK(config.encoder.branches[0] == BranchConfig{BranchType::kLightweight, 0, 4, 2, true, 8});
  CHECK(config.decoder.branches[0] == BranchConfig{BranchType::kDynamic, 0, 4, 2});
  CHECK(config.decoder.kernel_sizes == std::vector<int>{3});
  CHECK(config.encoder.final_norm);
  // lightconv does not know these two.
  CHECK(config.decoder.final_norm);
  CHECK(config.activation == Activation::kRelu);

  args["encoder_kernel_size_list"] = {9};
  CHECK(config_from_args(args).encoder.kernel_sizes == std::vector<int>{9, 9});
  refuses_setting("encoder_kernel_size_list", {3, 5, 7});
  refuses_setting("decoder_kernel_size_list", {3, 5});
  refuses_setting("encoder_conv_type", "attention");
  refuses_setting("encoder_conv_dim", 7);
  refuses_setting("decoder_conv_dim", 0);
  refuses_setting("decoder_embed_dim", 8);
  refuses_setting("arch", "lightconv_lm");
  refuses_setting("adaptive_softmax_cutoff", "1000,2000");
  refuses_setting("decoder_output_dim", 8);
}

TEST_CASE("lightconv checkpoints load under fairseq's names", "[lightconv]") {
  const TorchCheckpoint torch = tiny_torch(tiny_args());
  for (const char* name :
       {"encoder.layers.1.linear1.weight", "encoder.layers.0.linear2.bias",
        "encoder.layers.0.conv.weight", "encoder.layers.1.layer_norms.0.weight",
        "encoder.layers.1.layer_norms.1.bias", "encoder.layers.0.fc1.weight",
        "encoder.layer_norm.weight", "decoder.layers.0.conv.weight_linear.weight",
        "decoder.layers.0.linear1.bias", "decoder.layers.0.conv_layer_norm.weight",
        "decoder.layers.0.encoder_attn.q_proj.weight",
        "decoder.layers.0.encoder_attn_layer_norm.bias", "decoder.layers.0.fc2.bias",
        "decoder.layers.0.final_layer_norm.weight"}) {
    CAPTURE(name);
    CHECK(torch.tensors.contains(name));
  }
  const Checkpoint checkpoint = load(torch);
  CHECK(checkpoint.tensors.size() == torch.tensors.size() - 4);
  const auto values = [&](const std::string& name) { return checkpoint.tensors.at(name).values(); };
  CHECK(values("encoder.layers.1.self_attn.branches.0.weight") ==
        torch.tensors.at("encoder.layers.1.conv.weight").floats);
  CHECK(values("encoder.layers.0.final_layer_norm.weight") ==
        torch.tensors.at("encoder.layers.0.layer_norms.1.weight").floats);
  CHECK(values("decoder.layers.0.self_attn_layer_norm.bias") ==
        torch.tensors.at("decoder.layers.0.conv_layer_norm.bias").floats);
  CHECK(values("decoder.layers.0.self_attn.branches.0.weight_linear.weight") ==
        torch.tensors.at("decoder.layers.0.conv.weight_linear.weight").floats);
  // Version 2 says nothing about the last LayerNorm here.
  CHECK(checkpoint.config.encoder.final_norm);
  CHECK(checkpoint.tensors.contains("encoder.layer_norm.weight"));
}

TEST_CASE("lightconv kernels of a GPU and packed attention of old versions", "[lightconv]") {
  TorchCheckpoint torch = tiny_torch(tiny_args());
  const Checkpoint expected = load(torch);
  torch.tensors["encoder.layers.0.conv.weight"].shape = {2, 3};
  torch.tensors["encoder.layers.1.conv.weight"].shape = {2, 5};
  const std::string module = "decoder.layers.0.encoder_attn.";
  for (const std::string kind : {"weight", "bias"}) {
    TorchTensor packed{TorchType::kFloat32, kind == "weight" ? Shape{12, 4} : Shape{12}, {}, {}};
    for (const char* part : {"q_proj.", "k_proj.", "v_proj."}) {
      const TorchTensor third = torch.tensors.extract(module + part + kind).mapped();
      packed.floats.insert(packed.floats.end(), third.floats.begin(), third.floats.end());
    }
    torch.tensors[module + "in_proj_" + kind] = packed;
  }
  CHECK(load(torch).tensors == expected.tensors);
}

TEST_CASE("parameters of the published convolution-only models", "[lightconv]") {
  // Table 2 of the paper: DynamicConv has 213M parameters on WMT En-De, with a joint vocabulary of
  // 32K types.
  const auto millions = [](const ModelConfig& config) {
    return static_cast<double>(eval::count_parameters(config).total) / 1e6;
  };
  const ModelConfig dynamic = with_vocabulary("lightconv_wmt_en_de_big", 32768);
  CHECK(millions(dynamic) == Approx(213).margin(1.0));
}

TEST_CASE("Mult-Adds of a convolution-only model, by hand", "[lightconv]") {
  ModelConfig config = config_from_args({{"arch", "lightconv"},
                                         {"encoder_layers", 1},
                                         {"decoder_layers", 1},
                                         {"encoder_embed_dim", 4},
                                         {"encoder_conv_dim", 6},
                                         {"encoder_ffn_embed_dim", 5},
                                         {"encoder_attention_heads", 2},
                                         {"decoder_attention_heads", 2},
                                         {"encoder_kernel_size_list", {3}},
                                         {"decoder_kernel_size_list", {7}},
                                         {"decoder_conv_type", "lightweight"},
                                         {"decoder_glu", false}});
  config.source_vocabulary_size = config.target_vocabulary_size = 8;
  const std::int64_t source = 10;
  const std::int64_t target = 100;
  // linear1 to 2 x 6, kernels from 6 channels, convolution, linear2, FFN.
  const std::int64_t encoder = 4 * 12 + 6 * 2 * 3 + 3 * 6 + 6 * 4 + 2 * 4 * 5;
  // linear1, convolution, linear2, queries and output of the cross-attention, FFN.
  const std::int64_t decoder = 4 * 4 + 7 * 4 + 4 * 4 + 2 * 4 * 4 + 2 * 4 * 5;
  const std::int64_t keys_and_values = 2 * 4 * 4;
  const std::int64_t attention = 2 * 4 * source * target;
  CHECK(eval::mult_adds(config, source, target) ==
        source * (encoder + keys_and_values) + target * decoder + attention);
}

}  // namespace ltz::formats
