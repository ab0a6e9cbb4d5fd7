#include "formats/fairseq/settings_file.h"

#include <catch2/catch.hpp>
#include <span>
#include <string>

#include "formats/fairseq/model_presets.h"
#include "model/base/error.h"

namespace ltz::formats {
namespace {

using Catch::Contains;
using nlohmann::json;

ModelConfig config_of(const std::string& text) {
  return config_from_settings(parse_settings(text, "f.yml"));
}

bool recognised(const std::string& text) {
  return is_short_text(std::as_bytes(std::span(text)));
}

}  // namespace

TEST_CASE("settings in YAML have the types that they look like") {
  const json settings = parse_settings(
      "arch: transformer  # as in fairseq\n"
      "encoder-embed-dim: 160\n"
      "dropout: 1e-1\n"
      "share-all-embeddings: True\n"
      "activation-fn: null\n"
      "quoted: '160'\n"
      "adam-betas: (0.9, 0.98)\n"
      "encoder-branch-type: [attn:1:80:4, dynamic:default:80:4]\n"
      "encoder-kernel-size-list:\n  - 3\n  - 7\n"
      "of-training: {lr: 1}\n",
      "f.yml");
  CHECK(settings == json{{"arch", "transformer"},
                         {"encoder_embed_dim", 160},
                         {"dropout", 0.1},
                         {"share_all_embeddings", true},
                         {"activation_fn", nullptr},
                         {"quoted", "160"},
                         {"adam_betas", "(0.9, 0.98)"},
                         {"encoder_branch_type", {"attn:1:80:4", "dynamic:default:80:4"}},
                         {"encoder_kernel_size_list", {3, 7}},
                         {"of_training", {{"nested value", "line 12"}}}});
}

TEST_CASE("the groups of fairseq 1.0 are settings of a stack") {
  CHECK(
      parse_settings("arch: a\nencoder: {embed-dim: 8, layers: 2}\ndecoder:\n  layers: 3\n", "f") ==
      json{{"arch", "a"}, {"encoder_embed_dim", 8}, {"encoder_layers", 2}, {"decoder_layers", 3}});
  CHECK_THROWS_WITH(parse_settings("arch: a\nencoder_layers: 1\nencoder: {layers: 2}\n", "f"),
                    "f: line 3: encoder_layers is there twice");
}

TEST_CASE("a setting of the model must not be nested, others may be") {
  CHECK_NOTHROW(config_of("arch: transformer\nscheduler: {warmup: [1, [2]]}\n"));
  for (const char* setting :
       {"encoder_layers: {a: 1}", "encoder_layers: [[1]]", "conv_linear: {a: 1}",
        "activation_fn: {a: relu}", "vocabulary_size: {}", "encoder: {layers: {a: 1}}",
        "adaptive_input: {a: 1}"}) {
    CAPTURE(setting);
    CHECK_THROWS_WITH(config_of(std::string("arch: transformer\n") + setting + "\n"),
                      Contains("setting ") && Contains("line 2"));
  }
  const std::string arch = "arch: transformer_multibranch_v2\n";
  const std::string branches = "encoder_branch_type: [attn:1:512:4]\n";
  CHECK_THROWS_WITH(config_of(arch + "encoder_branch_type: [[attn:1:512:4]]\n"),
                    Contains("setting encoder_branch_type") && Contains("line 2"));
  CHECK_THROWS_WITH(config_of(arch + branches + "encoder_kernel_size_list: [[3], [7]]\n"),
                    Contains("setting encoder_kernel_size_list") && Contains("line 3"));
}

TEST_CASE("settings in JSON are the same settings") {
  const json settings = {{"arch", "transformer"}, {"encoder_layers", 3}, {"encoder_glu", false}};
  CHECK(parse_settings(settings.dump(), "f.json") == settings);
  CHECK(parse_settings(settings.dump(2), "f.json") == settings);
}

TEST_CASE("what is no list of settings is refused, with its line") {
  CHECK_THROWS_WITH(parse_settings("arch: a\narch: b\n", "f.yml"),
                    "f.yml: line 2: arch is there twice");
  CHECK_THROWS_WITH(parse_settings("arch-a: 1\narch_a: 2\n", "f.yml"),
                    "f.yml: line 2: arch_a is there twice");
  CHECK_THROWS_WITH(parse_settings("arch: a\n---\narch: b\n", "f.yml"),
                    "f.yml: line 3: expected one document, found a second one");
  CHECK_THROWS_WITH(config_of("w01: w02\n"), Contains("without the setting arch"));
  CHECK_THROWS_WITH(parse_settings("arch: [1, 2\n", "f.yml"), Contains("f.yml: line "));
  CHECK_THROWS_WITH(parse_settings("- arch\n", "f.yml"), Contains("expected settings by name"));
  CHECK_THROWS_WITH(parse_settings("[1]: arch\n", "f.yml"),
                    Contains("expected the name of a setting"));
  CHECK_THROWS_AS(parse_settings("arch: " + std::string(100000, '['), "f.yml"), FormatError);
  CHECK_THROWS_AS(parse_settings("arch: *nowhere\n", "f.yml"), FormatError);
  CHECK_THROWS_AS(parse_settings("", "f.yml"), FormatError);
}

TEST_CASE("aliases cannot make a small file large") {
  const json settings = parse_settings(
      "arch: transformer\n"
      "a: &a [x, x, x]\nb: &b [*a, *a, *a]\nc: [*b, *b, *b]\n",
      "f.yml");
  CHECK(settings.at("a") == json{"x", "x", "x"});
  CHECK(settings.at("b") == json{{"nested value", "line 3"}});
  CHECK(settings.dump().size() < 200);

  std::string text = "arch: &a [";
  for (int i = 0; i < 1000; ++i) {
    text += "x, ";
  }
  text += "x]\n";
  for (int i = 0; i < 1000; ++i) {
    text += "s" + std::to_string(i) + ": *a\n";
  }
  CHECK_THROWS_WITH(parse_settings(text, "f.yml"), Contains("unfold to more than"));
}

TEST_CASE("the configuration of fairseq's WMT model comes out of its YAML file") {
  const std::string yaml =
      "arch: transformer_multibranch_v2_wmt_en_de\n"
      "share-all-embeddings: True\n"
      "encoder-glu: 1\ndecoder-glu: 1\n"
      "encoder-branch-type: [attn:1:248:4, dynamic:default:248:4]\n"
      "decoder-branch-type: [attn:1:248:4, dynamic:default:248:4]\n"
      "conv-linear: true\n"
      "encoder-embed-dim: 496\nencoder-ffn-embed-dim: 496\n"
      "decoder-embed-dim: 496\ndecoder-ffn-embed-dim: 496\n";
  CHECK(config_of(yaml + "vocabulary_size: 44512\n") == preset_model("lite-transformer-wmt-496"));
  const ModelConfig unknown_size = config_of(yaml);
  CHECK(unknown_size.source_vocabulary_size == 0);
  CHECK(unknown_size.target_vocabulary_size == 0);
}

TEST_CASE("sizes and shapes that no model has are refused by name") {
  const std::string arch = "arch: transformer\n";
  CHECK_THROWS_WITH(config_of("encoder_layers: 3\n"), Contains("arch"));
  CHECK_THROWS_WITH(config_of(arch + "vocabulary_size: 0\n"), Contains("setting vocabulary_size"));
  CHECK_THROWS_WITH(config_of(arch + "target_vocabulary_size: many\n"),
                    Contains("setting target_vocabulary_size"));
  CHECK_THROWS_WITH(config_of(arch + "encoder_attention_heads: 7\n"),
                    Contains("encoder_attention_heads"));
}

TEST_CASE("a text that can be settings is short, UTF-8 and without NUL") {
  CHECK(recognised("arch: transformer\n"));
  CHECK(recognised("{\"arch\": 1}"));
  CHECK(recognised("hello\n"));
  CHECK_FALSE(recognised(std::string((1 << 20) + 1, ' ')));
  CHECK_FALSE(recognised(std::string("arch\0", 5)));
  CHECK_FALSE(recognised("arch \xff"));
  CHECK_FALSE(recognised(""));
}

TEST_CASE("every preset is a model") {
  CHECK(preset_model_names().size() == 9);
  for (const std::string& name : preset_model_names()) {
    CHECK_NOTHROW(validate(preset_model(name).value()));
  }
  CHECK_FALSE(preset_model("transformer-small"));
}

}  // namespace ltz::formats
