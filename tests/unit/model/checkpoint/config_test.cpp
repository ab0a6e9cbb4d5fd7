#include "model/checkpoint/config.h"

#include <catch2/catch.hpp>

#include "model/base/error.h"
#include "tests/support/tiny_checkpoint.h"

namespace ltz {
namespace {

using Catch::Matchers::Contains;

// Refused, with all of these words, when `change` was made to the tiny model.
template <typename Change>
void refused(Change change, const char* setting, const char* reason) {
  ModelConfig config = tiny_checkpoint(1).config;
  change(config);
  CHECK_THROWS_AS(validate(config), ConfigError);
  CHECK_THROWS_WITH(validate(config), Contains(setting) && Contains(reason));
}

}  // namespace

TEST_CASE("configurations without a model are refused by the setting's name") {
  CHECK_NOTHROW(validate(tiny_checkpoint(1).config));
  refused([](ModelConfig& c) { c.encoder.layers = 0; }, "encoder_layers", "language models");
  refused([](ModelConfig& c) { c.encoder.branches[0].channels = 2; }, "encoder_branch_type",
          "6 channels, expected 8");
  refused([](ModelConfig& c) { c.decoder.branches[0].heads = 3; }, "decoder_branch_type[0] heads",
          "does not divide 4");
  refused([](ModelConfig& c) { c.decoder.attention_heads = 3; }, "decoder_attention_heads", "= 3");
  refused([](ModelConfig& c) { c.encoder.kernel_sizes.clear(); },
          "encoder_branch_type[1] kernel of layer 0", "found 0");
  refused([](ModelConfig& c) { c.share_all_embeddings = true; }, "share_all_embeddings",
          "one vocabulary");
}

TEST_CASE("what is inside a convolution branch has to fit") {
  refused([](ModelConfig& c) { c.conv_linear = false; }, "encoder_branch_type[1]", "GLU");
  refused([](ModelConfig& c) { c.encoder.branches[0].glu = true; }, "encoder_branch_type[0]",
          "GLU");
  refused([](ModelConfig& c) { c.encoder.branches[0].conv_channels = 8; }, "encoder_branch_type[0]",
          "conv_channels");
  refused([](ModelConfig& c) { c.encoder.branches[1].conv_channels = -8; },
          "encoder_branch_type[1] conv_channels", "found -8");
  refused([](ModelConfig& c) { c.encoder.branches[1].conv_channels = 5; },
          "encoder_branch_type[1] heads", "does not divide 5");
  ModelConfig config = tiny_checkpoint(1).config;
  config.encoder.branches[1].conv_channels = 6;
  CHECK_NOTHROW(validate(config));
}

TEST_CASE("a width with a single sinusoid is refused, as fairseq cannot build it") {
  const auto width = GENERATE(1, 2, 3, 4, 5);
  CAPTURE(width);
  ModelConfig config = tiny_checkpoint(1).config;
  config.encoder.embed_dim = width;
  config.encoder.attention_heads = 1;
  config.encoder.branches.clear();
  if (width == 2 || width == 3) {
    CHECK_THROWS_WITH(validate(config), Contains("encoder_embed_dim") && Contains("too narrow"));
    config.encoder.learned_positions = true;
    CHECK_NOTHROW(validate(config));
    config.encoder.learned_positions = false;
    config.token_positional_embeddings = false;
  }
  CHECK_NOTHROW(validate(config));
}

TEST_CASE("a convolution-only model has one convolution a layer") {
  ModelConfig config = tiny_checkpoint(1).config;
  config.arch = "lightconv_wmt_en_de";
  CHECK(is_convolution_only(config));
  CHECK_THROWS_WITH(validate(config), Contains("arch") && Contains("encoder"));
  config.encoder.branches = {{BranchType::kDynamic, 3, 8, 2, true}};
  CHECK_THROWS_WITH(validate(config), Contains("arch") && Contains("decoder"));
  config.decoder.branches = {{BranchType::kLightweight, 3, 8, 2, false, 4}};
  CHECK_NOTHROW(validate(config));
}

}  // namespace ltz
