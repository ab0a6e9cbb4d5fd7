// Configurations that no language model has, in every container.

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>

#include "damaged_hdf5.h"
#include "formats/bytes/config_json.h"
#include "language_model_files.h"
#include "malformed.h"
#include "tests/support/pickle_builder.h"

using namespace ltz;
using namespace ltz::formats;
using namespace ltz::test;
using nlohmann::json;

namespace {

Bytes ltz_with_config(const std::string& text) {
  return language_ltz_with([&](LtzParts& p) {
    p.section("CONF") = packed(0, static_cast<std::uint32_t>(text.size()), to_bytes(text));
  });
}

Bytes h5_with_config(const std::string& text) {
  return h5_with(small_language_model(), [&](hid_t file) { set_text(file, "/", "config", text); });
}

Bytes safetensors_with_config(const std::string& text) {
  return language_safetensors_with(
      [&](json& header) { header["__metadata__"]["ltz.config"] = text; });
}

struct Container {
  Bytes (*with_config)(const std::string& text);
  Reader read;
};

std::vector<Container> containers() {
  return {{ltz_with_config, read_ltz_file},
          {h5_with_config, read_h5_file},
          {safetensors_with_config, read_safetensors_file}};
}

// A configuration, as text, that no container may have.
struct BadConfig {
  std::string name;
  std::string text;
  std::string says;
};

void check_configs_refused(const std::vector<BadConfig>& configs) {
  for (const Container& container : containers()) {
    std::vector<Malformed> files;
    for (const BadConfig& config : configs) {
      files.push_back(
          {config.name, container.with_config(config.text), {"configuration: ", config.says}});
    }
    check_refused(files, container.read);
  }
}

std::string config_with(const std::function<void(json&)>& change) {
  json config = json::parse(config_text(small_language_model().config));
  change(config);
  return config.dump();
}

// Other cutoffs, or another factor, for input and output.
std::string with_bands(const char* key, const json& value) {
  return config_with(
      [&](json& c) { c["adaptive_input"][key] = c["adaptive_softmax"][key] = value; });
}

std::string with_cutoffs(const json& cutoffs) {
  return with_bands("cutoffs", cutoffs);
}

std::string with_factor(const json& factor) {
  return with_bands("factor", factor);
}

std::string with_value(const char* key, const json& value) {
  return config_with([&](json& c) { c[key] = value; });
}

// What a dump cannot have, in place of the factors.
std::string with_factor_text(const std::string& text) {
  std::string config = with_factor("FACTOR");
  const std::string mark = "\"FACTOR\"";
  for (std::size_t at = config.find(mark); at != std::string::npos; at = config.find(mark)) {
    config.replace(at, mark.size(), text);
  }
  return config;
}

}  // namespace

TEST_CASE("malformed language models: good ones are read") {
  const std::string text = config_text(small_language_model().config);
  for (const Container& container : containers()) {
    CHECK(refusal(container.with_config(text), container.read).message == "accepted");
    // A cutoff at the end of the vocabulary adds no band.
    CHECK(refusal(container.with_config(with_cutoffs({5, 9, 13})), container.read).message ==
          "accepted");
  }
}

TEST_CASE("malformed language models: bands") {
  const std::string ascending = "adaptive_input_cutoff is not a list of ascending positive numbers";
  check_configs_refused({
      {"descending cutoffs", with_cutoffs({9, 5}), ascending},
      {"equal cutoffs", with_cutoffs({5, 5}), ascending},
      {"a cutoff of zero", with_cutoffs({0, 5}), ascending},
      {"a negative cutoff", with_cutoffs({-1, 5}), "adaptive_input.cutoffs"},
      {"a cutoff above the vocabulary", with_cutoffs({5, 14}),
       "adaptive_input_cutoff ends with 14"},
      {"a cutoff beyond integers", with_cutoffs({5, 1LL << 40}), "adaptive_input.cutoffs"},
      {"a cutoff that is a fraction", with_cutoffs({5.5}), "adaptive_input.cutoffs"},
      {"63 cutoffs", with_cutoffs(json(63, 5)), "adaptive_input_cutoff has 63 entries"},
      {"a thousand cutoffs", with_cutoffs(json(1000, 5)), "adaptive_input.cutoffs"},
      {"cutoffs as text", with_cutoffs("5,9"), "adaptive_input.cutoffs: expected an array"},
      {"a factor of 0", with_factor(0), "adaptive_input_factor must be at least 1"},
      {"a factor below 1", with_factor(0.5), "adaptive_input_factor must be at least 1"},
      {"a negative factor", with_factor(-2), "adaptive_input_factor must be at least 1"},
      {"a factor of 1e300", with_factor(1e300), "leaves band 1 without channels"},
      {"a factor of 1e999", with_factor_text("1e999"), ""},
      {"a factor that is NaN", with_factor_text("NaN"), ""},
      {"a factor that is infinite", with_factor_text("Infinity"), ""},
      {"a factor as text", with_factor("2"), "adaptive_input.factor: expected a number"},
      {"a band without channels", with_factor(3), "leaves band 2 without channels"},
      {"no factor", config_with([](json& c) { c["adaptive_input"].erase("factor"); }),
       "adaptive_input.factor is missing"},
      {"no bands at all", config_with([](json& c) { c.erase("adaptive_softmax"); }),
       "adaptive_softmax is missing"},
      {"bands as a list", with_value("adaptive_input", {5, 9}),
       "adaptive_input: expected an object"},
  });
}

TEST_CASE("malformed language models: what is tied, and what there is no encoder for") {
  check_configs_refused({
      {"tied tables in other bands", config_with([](json& c) {
         c["adaptive_softmax"]["cutoffs"] = {5, 10};
       }),
       "tie_adaptive_weights needs the same cutoffs and factor"},
      {"tied tables with another factor",
       config_with([](json& c) { c["adaptive_softmax"]["factor"] = 1.5; }),
       "tie_adaptive_weights needs the same cutoffs and factor"},
      {"tied tables without bands of the output",
       config_with([](json& c) { c["adaptive_softmax"]["cutoffs"] = json::array(); }),
       "tie_adaptive_weights needs adaptive_input and adaptive_softmax_cutoff"},
      {"tied projections without tied tables", config_with([](json& c) {
         c["tie_adaptive_weights"] = false;
         c["tie_adaptive_proj"] = true;
       }),
       "tie_adaptive_proj needs tie_adaptive_weights"},
      {"one table that is in bands", config_with([](json& c) {
         c["tie_adaptive_weights"] = false;
         c["adaptive_softmax"]["cutoffs"] = json::array();
         c["share_decoder_input_output_embed"] = true;
       }),
       "share_decoder_input_output_embed needs embeddings in one table"},
      {"an input without channels", with_value("decoder_input_dim", -1), "decoder_input_dim"},
      {"a huge input", with_value("decoder_input_dim", 1 << 21), "decoder_input_dim"},
      {"a narrow input without bands", config_with([](json& c) {
         c["tie_adaptive_weights"] = false;
         c["adaptive_input"]["cutoffs"] = json::array();
       }),
       "decoder_input_dim = 4 is not the width"},
      {"a flag as a number", with_value("add_bos_token", 1),
       "add_bos_token: expected true or false"},
      {"a source vocabulary", with_value("source_vocabulary_size", 13), "encoder_layers = 0"},
      {"settings of an encoder", config_with([](json& c) { c["encoder"]["embed_dim"] = 8; }),
       "encoder_layers = 0"},
      {"one table for both", with_value("share_all_embeddings", true),
       "share_all_embeddings needs an encoder"},
      {"no layers at all", config_with([](json& c) { c["decoder"]["layers"] = 0; }),
       "decoder_layers must be positive"},
      {"no words", with_value("target_vocabulary_size", 0), "target vocabulary size"},
  });
}

TEST_CASE("malformed language models: tensors that the bands do not ask for") {
  const std::string table = "decoder.embed_tokens.embeddings.1.0.weight";
  for (const Container& container : containers()) {
    check_refused(
        {
            {"a wide input",
             container.with_config(with_value("decoder_input_dim", 1 << 20)),
             {"(5, 1048576), found (5, 4)"}},
            {"an input as wide as the model",
             container.with_config(with_value("decoder_input_dim", 0)),
             {"tensor decoder.embed_tokens.embeddings.0.0.weight", "(5, 8), found (5, 4)"}},
            {"other bands",
             container.with_config(with_cutoffs({5, 10})),
             {"tensor " + table, "(5, 2), found (4, 2)"}},
            {"one band less", container.with_config(with_cutoffs({5})), {"(8, 2), found (4, 2)"}},
            {"one word less",
             container.with_config(with_value("target_vocabulary_size", 12)),
             {"expected "}},
        },
        container.read);
  }
}
