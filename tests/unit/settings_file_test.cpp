#include "formats/settings_file.h"

#include <catch2/catch.hpp>
#include <span>
#include <string>

#include "formats/model_presets.h"
#include "model/error.h"

namespace ltz::formats {
namespace {

using Catch::Contains;
using nlohmann::json;

ModelConfig config_of(const std::string& text) {
  return config_from_settings(parse_settings(text, "f.yml"));
}

bool recognised(const std::string& text) {
  return is_settings_file(std::as_bytes(std::span(text)));
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
      "left-out: {of: 1}\n",
      "f.yml");
  CHECK(settings == json{{"arch", "transformer"},
                         {"encoder_embed_dim", 160},
                         {"dropout", 0.1},
                         {"share_all_embeddings", true},
                         {"activation_fn", nullptr},
                         {"quoted", "160"},
                         {"adam_betas", "(0.9, 0.98)"},
                         {"encoder_branch_type", {"attn:1:80:4", "dynamic:default:80:4"}},
                         {"encoder_kernel_size_list", {3, 7}}});
}

TEST_CASE("settings in JSON are the same settings") {
  const json settings = {{"arch", "transformer"}, {"encoder_layers", 3}, {"encoder_glu", false}};
  CHECK(parse_settings(settings.dump(), "f.json") == settings);
  CHECK(parse_settings(settings.dump(2), "f.json") == settings);
}

TEST_CASE("what is no list of settings is refused, with its line") {
  CHECK_THROWS_WITH(parse_settings("arch: a\narch: b\n", "f.yml"),
                    "f.yml: line 2: arch is there twice");
  CHECK_THROWS_WITH(parse_settings("a-b: 1\na_b: 2\n", "f.yml"), Contains("is there twice"));
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
  CHECK(settings == json{{"arch", "transformer"}, {"a", {"x", "x", "x"}}});
}

TEST_CASE("the configuration of upstream's WMT model comes out of its YAML file") {
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

TEST_CASE("settings files are recognised by content") {
  CHECK(recognised("arch: transformer\n"));
  CHECK(recognised("{\"arch\": 1}"));
  CHECK_FALSE(recognised("hello\n"));
  CHECK_FALSE(recognised(std::string("arch\0", 5)));
  CHECK_FALSE(recognised("arch \xff"));
  CHECK_FALSE(recognised(""));
}

TEST_CASE("every preset is a model") {
  CHECK(preset_model_names().size() == 7);
  for (const std::string& name : preset_model_names()) {
    CHECK_NOTHROW(validate(preset_model(name).value()));
  }
  CHECK_FALSE(preset_model("transformer-small"));
}

}  // namespace ltz::formats
