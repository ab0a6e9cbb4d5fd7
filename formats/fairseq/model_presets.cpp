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
// Of WikiText-103, as fairseq's example of language models prepares it.
constexpr int kWikiTextWords = 267744;

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

// Table 5's baseline: the arch of 12 layers and 512 channels with the feed-forward layers of the
// arch of 16 layers, which that arch itself would narrow.
json adaptive_inputs() {
  return {{"arch", "transformer_lm_multibranch_v2_baevski_wiki103"},
          {"decoder_layers", 12},
          {"decoder_embed_dim", 512},
          {"decoder_ffn_embed_dim", 2048},
          {"vocabulary_size", kWikiTextWords}};
}

// The one configuration of a language model that mit-han-lab/lite-transformer has, in its branch
// language-model.
json lite_wikitext() {
  return {{"arch", "transformer_lm_multibranch_v2_wiki103_small"},
          {"decoder_embed_dim", 896},
          {"decoder_branch_type", {"attn:1:448:4", "dynamic:default:448:4"}},
          {"decoder_kernel_size_list", {15, 15, 31, 31, 31, 31, 63, 63, 63, 63, 63, 63}},
          {"conv_linear", true},
          {"max_target_positions", 3072},
          {"vocabulary_size", kWikiTextWords}};
}

std::vector<std::pair<std::string, json>> presets() {
  return {{"transformer-base", transformer_base()},
          {"lite-transformer-iwslt-160", lite_iwslt(160)},
          {"lite-transformer-iwslt-240", lite_iwslt(240)},
          {"lite-transformer-iwslt-320", lite_iwslt(320)},
          {"lite-transformer-wmt-200", lite_wmt(200)},
          {"lite-transformer-wmt-408", lite_wmt(408)},
          {"lite-transformer-wmt-496", lite_wmt(496)},
          {"adaptive-inputs-wiki103", adaptive_inputs()},
          {"lite-transformer-wiki103", lite_wikitext()}};
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
