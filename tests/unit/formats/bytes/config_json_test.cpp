#include "formats/bytes/config_json.h"

#include <catch2/catch.hpp>

#include "model/base/error.h"
#include "tests/support/tiny_checkpoint.h"

namespace ltz::formats {
namespace {

using Catch::Matchers::Contains;

nlohmann::json tiny_json() {
  return to_json(tiny_checkpoint(1).config);
}

}  // namespace

TEST_CASE("A configuration comes back from JSON as it was") {
  ModelConfig config = tiny_checkpoint(1).config;
  CHECK(config_from_json(to_json(config)) == config);
  CHECK(config_from_text(config_text(config)) == config);

  config.activation = Activation::kGelu;
  config.arch = "name with \"quotes\" and \xC3\xA9";
  config.encoder.branches.clear();
  config.encoder.kernel_sizes.clear();
  config.decoder.normalize_before = true;
  config.decoder.final_norm = true;
  config.decoder.learned_positions = true;
  config.decoder.branches[1].glu = true;
  config.decoder.branches[1].conv_channels = 6;
  config.share_all_embeddings = true;
  config.weight_softmax = false;
  config.token_positional_embeddings = false;
  CHECK(config_from_text(config_text(config)) == config);
  CHECK(config_from_text(config_text(ModelConfig{})) == ModelConfig{});
}

TEST_CASE("Every key of a configuration is required") {
  const auto check = [](const nlohmann::json::json_pointer& object) {
    const nlohmann::json complete = tiny_json();
    for (const auto& item : complete[object].items()) {
      nlohmann::json json = complete;
      json[object].erase(item.key());
      if (item.key() == "glu" || item.key() == "conv_channels") {
        CHECK_NOTHROW(config_from_json(json));  // see the next test
      } else {
        CHECK_THROWS_WITH(config_from_json(json), Contains(item.key() + " is missing"));
      }
      json[object][item.key()] = nullptr;
      CHECK_THROWS_WITH(config_from_json(json), Contains(item.key() + ": expected"));
    }
  };
  check(nlohmann::json::json_pointer(""));
  check(nlohmann::json::json_pointer("/encoder"));
  check(nlohmann::json::json_pointer("/decoder/branches/1"));
}

TEST_CASE("A GLU for all dynamic convolutions of a stack, as the first files have it") {
  nlohmann::json json = tiny_json();
  for (const char* stack : {"encoder", "decoder"}) {
    for (nlohmann::json& branch : json[stack]["branches"]) {
      branch.erase("glu");
      branch.erase("conv_channels");
    }
    json[stack]["glu"] = true;
  }
  const ModelConfig expected = tiny_checkpoint(1).config;
  REQUIRE(expected.encoder.branches[1].glu);
  CHECK(config_from_json(json) == expected);  // the decoder's convolution is lightweight
  json["encoder"]["glu"] = false;
  CHECK_FALSE(config_from_json(json).encoder.branches[1].glu);
  json["encoder"]["glu"] = true;
  json["conv_linear"] = false;
  CHECK_FALSE(config_from_json(json).encoder.branches[1].glu);
  json["encoder"]["glu"] = 1;
  CHECK_THROWS_WITH(config_from_json(json), Contains("encoder.glu: expected true or false"));
}

TEST_CASE("Keys of later versions are ignored") {
  nlohmann::json json = tiny_json();
  json["rotary_positions"] = true;
  CHECK(config_from_json(json) == tiny_checkpoint(1).config);
}

TEST_CASE("Values that no model has are refused") {
  const auto refused = [](const char* pointer, const nlohmann::json& value, const char* reason) {
    nlohmann::json json = tiny_json();
    json[nlohmann::json::json_pointer(pointer)] = value;
    CHECK_THROWS_AS(config_from_json(json), FormatError);
    CHECK_THROWS_WITH(config_from_json(json), Contains(reason));
  };
  refused("/encoder/layers", -1, "encoder.layers: expected an integer from 0 to 1000, found -1");
  refused("/encoder/layers", 1.5, "encoder.layers");
  refused("/encoder/layers", 18446744073709551615U, "encoder.layers");
  refused("/decoder/embed_dim", 1 << 21, "decoder.embed_dim");
  refused("/decoder/kernel_sizes", "3", "decoder.kernel_sizes");
  refused("/decoder/kernel_sizes/0", "3", "decoder.kernel_sizes[0]");
  refused("/encoder/branches/1/type", "fourier", "encoder.branches[1].type");
  refused("/encoder/branches", std::vector<int>(65, 0), "at most 64");
  refused("/activation", "swish", "\"tanh\" or \"linear\", found \"swish\"");
  refused("/weight_softmax", 1, "weight_softmax: expected true or false, found 1");
  refused("/arch", 1, "arch: expected a string");
  refused("/encoder", 1, "encoder: expected an object");
}

TEST_CASE("Text that is no JSON is a FormatError") {
  CHECK_THROWS_AS(config_from_text(""), FormatError);
  CHECK_THROWS_AS(config_from_text("{"), FormatError);
  CHECK_THROWS_AS(config_from_text("[]"), FormatError);
  ModelConfig config;
  config.arch = "\xFF";
  CHECK_THROWS_AS(config_text(config), FormatError);
  config = ModelConfig{};
  config.encoder.layers = 1001;
  CHECK_THROWS_AS(config_text(config), FormatError);
}

}  // namespace ltz::formats
