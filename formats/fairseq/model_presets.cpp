#include "formats/fairseq/model_presets.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "formats/fairseq/settings_file.h"

namespace ltz::formats {
namespace {

using nlohmann::json;

// Entries of the dictionaries that the scripts of mit-han-lab/lite-transformer prepare.
constexpr int kIwsltSourceWords = 8848;
constexpr int kIwsltTargetWords = 6632;
constexpr int kWmtWords = 44512;

json transformer_base() {
  return {{"arch", "transformer_wmt_en_de"},
          {"share_all_embeddings", true},
          {"vocabulary_size", kWmtWords}};
}

// Long-Short Range Attention: half of the channels each for attention and convolution.
json lite(const char* arch, const char* convolution, int width) {
  const json branches = {fmt::format("attn:1:{}:4", width / 2),
                         fmt::format("{}:default:{}:4", convolution, width / 2)};
  json settings = {{"arch", arch}, {"conv_linear", true}};
  for (const std::string stack : {"encoder", "decoder"}) {
    settings[stack + "_embed_dim"] = width;
    settings[stack + "_ffn_embed_dim"] = width;
    settings[stack + "_branch_type"] = branches;
  }
  return settings;
}

// configs/iwslt14.de-en/attention/multibranch_v2/embed*.yml
json lite_iwslt(int width) {
  json settings = lite("transformer_multibranch_v2_iwslt_de_en", "lightweight", width);
  settings["encoder_glu"] = settings["decoder_glu"] = false;
  settings["source_vocabulary_size"] = kIwsltSourceWords;
  settings["target_vocabulary_size"] = kIwsltTargetWords;
  return settings;
}

// configs/wmt14.en-fr/attention/multibranch_v2/embed*.yml
json lite_wmt(int width) {
  json settings = lite("transformer_multibranch_v2_wmt_en_de", "dynamic", width);
  settings["share_all_embeddings"] = true;
  settings["vocabulary_size"] = kWmtWords;
  return settings;
}

std::vector<std::pair<std::string, json>> presets() {
  return {{"transformer-base", transformer_base()},
          {"lite-transformer-iwslt-160", lite_iwslt(160)},
          {"lite-transformer-iwslt-240", lite_iwslt(240)},
          {"lite-transformer-iwslt-320", lite_iwslt(320)},
          {"lite-transformer-wmt-200", lite_wmt(200)},
          {"lite-transformer-wmt-408", lite_wmt(408)},
          {"lite-transformer-wmt-496", lite_wmt(496)}};
}

}  // namespace

std::optional<ModelConfig> preset_model(std::string_view name) {
  for (const auto& [preset, settings] : presets()) {
    if (preset == name) {
      return config_from_settings(settings);
    }
  }
  return std::nullopt;
}

std::vector<std::string> preset_model_names() {
  std::vector<std::string> names;
  for (const auto& preset : presets()) {
    names.push_back(preset.first);
  }
  return names;
}

}  // namespace ltz::formats
