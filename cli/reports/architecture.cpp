#include "cli/reports/architecture.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "cli/terminal/terminal.h"
#include "model/checkpoint/bands.h"

namespace ltz::cli {
namespace {

std::string describe(const StackConfig& stack, int layer_count) {
  std::string text =
      fmt::format("{} layers, width {}, FFN {}", layer_count, stack.embed_dim, stack.ffn_embed_dim);
  if (stack.branches.empty()) {
    return text + fmt::format(", attention with {} heads", stack.attention_heads);
  }
  for (const BranchConfig& branch : stack.branches) {
    const char* type = branch.type == BranchType::kAttention     ? "attention"
                       : branch.type == BranchType::kLightweight ? "lightweight convolution"
                                                                 : "dynamic convolution";
    text += fmt::format(
        ", {} ({} channels{}, {} heads{})", type, branch.channels,
        branch.conv_channels == 0 ? "" : fmt::format(", {} inside", branch.conv_channels),
        branch.heads, branch.glu ? ", GLU" : "");
  }
  return text;
}

std::string vocabulary_line(const formats::ModelDescription& model) {
  const ModelConfig& config = model.config;
  if (config.source_vocabulary_size == 0 && config.target_vocabulary_size == 0) {
    return "not given: the embeddings are not counted";
  }
  std::string line = is_language_model(config)
                         ? fmt::format("{} words", config.target_vocabulary_size)
                         : fmt::format("{} source, {} target", config.source_vocabulary_size,
                                       config.target_vocabulary_size);
  if (model.file) {
    const Checkpoint& checkpoint = model.file->checkpoint;
    line += checkpoint.sentencepiece.empty()
                ? fmt::format(", {} merges", checkpoint.merges.size())
                : fmt::format(", SentencePiece model of {} bytes", checkpoint.sentencepiece.size());
  }
  return line;
}

// The first words of all bands, and how wide their vectors are.
std::string bands_text(const std::vector<Band>& bands) {
  std::string text = fmt::format("{} bands", bands.size());
  for (const Band& band : bands) {
    text += fmt::format("{} {} words ({} channels)", &band == &bands.front() ? ":" : ",", band.size,
                        band.width);
  }
  return text;
}

std::string input_text(const ModelConfig& config) {
  const std::vector<Band> bands = input_bands(config);
  return bands.empty() ? "one table" : "adaptive, " + bands_text(bands);
}

std::string output_text(const ModelConfig& config) {
  const std::vector<Band> bands = output_bands(config);
  if (bands.empty()) {
    return config.share_decoder_input_output_embed ? "the input's table" : "a table of its own";
  }
  if (!config.tie_adaptive_weights) {
    return "adaptive, " + bands_text(bands);
  }
  return fmt::format("adaptive, the input's tables{}",
                     config.tie_adaptive_proj ? " and projections" : "");
}

nlohmann::ordered_json bands_json(const std::vector<Band>& bands) {
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const Band& band : bands) {
    json.push_back({{"first", band.first}, {"words", band.size}, {"channels", band.width}});
  }
  return json;
}

}  // namespace

std::string architecture_text(const formats::ModelDescription& model) {
  const ModelConfig& config = model.config;
  std::string text = "architecture  " + printable(config.arch);
  if (is_language_model(config)) {
    text += " (a language model: no encoder)";
  } else if (!config.source_lang.empty()) {
    text +=
        fmt::format(" ({} -> {})", printable(config.source_lang), printable(config.target_lang));
  }
  if (!is_language_model(config)) {
    text += fmt::format("\nencoder       {}", describe(config.encoder, config.encoder.layers));
  }
  text += fmt::format("\ndecoder       {}\n", describe(config.decoder, config.decoder.layers));
  // Without a vocabulary there is no last band.
  if (is_language_model(config) && config.target_vocabulary_size != 0) {
    text += fmt::format("input         {}\n", input_text(config));
    text += fmt::format("output        {}\n", output_text(config));
  }
  return text + fmt::format("vocabulary    {}\n", vocabulary_line(model));
}

nlohmann::ordered_json language_model_json(const ModelConfig& config) {
  return {{"input_bands", bands_json(input_bands(config))},
          {"output_bands", bands_json(output_bands(config))},
          {"tied_tables", config.tie_adaptive_weights || config.share_decoder_input_output_embed},
          {"tied_projections", config.tie_adaptive_proj}};
}

}  // namespace ltz::cli
