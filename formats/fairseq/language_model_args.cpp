// The hyper-parameters of language models. Facts: fairseq/models/transformer_lm_multibranch_v2.py
// of mit-han-lab/lite-transformer, branch language-model, functions base_lm_architecture() and
// those registered beside it; fairseq's own transformer_lm.py has the same names.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "formats/fairseq/args.h"
#include "formats/fairseq/settings.h"

namespace ltz::formats {
namespace {

constexpr std::string_view kMultibranch = "transformer_lm_multibranch_v2";
constexpr std::string_view kStock = "transformer_lm";

// Defaults that differ between the registered architectures.
struct Architecture {
  std::string_view suffix;
  int layers = 6;
  int embed_dim = 512;
  int ffn_embed_dim = 2048;
  int heads = 8;
  Activation activation = Activation::kRelu;
  bool final_norm = true;
  bool adaptive = false;  // input and softmax, 20000,60000, all tied
  bool square = false;    // ffn_embed_dim is embed_dim, whatever the checkpoint asks for
};

constexpr auto kGelu = Activation::kGelu;
constexpr Architecture kArchitectures[] = {
    {.suffix = ""},
    {"_big", 12, 1024, 4096, 16},
    {"_wiki103", 16, 1024, 4096, 8, Activation::kRelu, false, true},
    {"_baevski_wiki103", 16, 1024, 4096, 8, Activation::kRelu, false, true},
    {"_wiki103_small", 12, 512, 512, 8, Activation::kRelu, false, true, true},
    {"_baevski_wiki103_small", 12, 512, 512, 8, Activation::kRelu, false, true, true},
    {"_gbw", 12, 512, 4096, 16, Activation::kRelu, false},
    {"_baevski_gbw", 12, 512, 4096, 16, Activation::kRelu, false},
    {"_gpt", 12, 768, 3072, 12, kGelu},
    {"_gpt2_small", 24, 1024, 4096, 16, kGelu},
    {"_gpt2_medium", 36, 1280, 5120, 20, kGelu},
    {"_gpt2_big", 48, 1600, 6400, 25, kGelu},
};

Architecture find_architecture(const std::string& name) {
  const bool multibranch = name.starts_with(kMultibranch);
  const std::string_view prefix = multibranch ? kMultibranch : kStock;
  const std::string_view suffix = std::string_view(name).substr(prefix.size());
  const auto* const found = std::ranges::find(kArchitectures, suffix, &Architecture::suffix);
  if (found != std::end(kArchitectures)) {
    return *found;
  }
  std::vector<std::string> known;
  for (const Architecture& architecture : kArchitectures) {
    known.push_back(fmt::format("{}{}", prefix, architecture.suffix));
  }
  fail_setting("arch",
               fmt::format("expected one of {}, found \"{}\"", fmt::join(known, ", "), name));
}

StackConfig parse_decoder(const FairseqSettings& settings, const Architecture& defaults,
                          bool conv_linear) {
  StackConfig stack;
  stack.layers = settings.integer("decoder_layers", defaults.layers, kMaxLayers);
  stack.embed_dim = settings.integer("decoder_embed_dim", defaults.embed_dim, kMaxWidth);
  stack.ffn_embed_dim =
      settings.integer("decoder_ffn_embed_dim",
                       defaults.square ? stack.embed_dim : defaults.ffn_embed_dim, kMaxWidth);
  stack.attention_heads = settings.integer("decoder_attention_heads", defaults.heads, kMaxWidth);
  stack.normalize_before = true;
  stack.final_norm = !settings.flag("no_decoder_final_norm", !defaults.final_norm);
  if (settings.find("no_tie_adaptive_proj") != nullptr) {  // a file of before that setting
    stack.final_norm = false;
  }
  stack.final_norm = settings.flag("decoder_final_norm", stack.final_norm);
  stack.learned_positions = settings.flag("decoder_learned_pos", false);
  stack.branches =
      parse_branches(settings, "decoder", settings.flag("decoder_glu", true) && conv_linear);
  if (!stack.branches.empty()) {
    stack.kernel_sizes =
        parse_kernel_sizes(settings, "decoder", stack.layers,
                           {.fallback = {3, 7, 15, 31, 31, 31}, .may_be_longer = true});
  }
  return stack;
}

void parse_bands(const FairseqSettings& settings, const Architecture& defaults,
                 ModelConfig& config) {
  const std::vector<int> none = defaults.adaptive ? std::vector{20000, 60000} : std::vector<int>();
  const auto cutoffs = [&](const char* name) {
    return settings.integers(name, none, kMaxPositions);
  };
  if (settings.flag("adaptive_input", defaults.adaptive)) {
    config.adaptive_input = {cutoffs("adaptive_input_cutoff"),
                             settings.number("adaptive_input_factor", 4.0)};
    if (config.adaptive_input.cutoffs.empty()) {
      fail_setting("adaptive_input_cutoff", "is missing, but adaptive_input is set");
    }
  }
  config.adaptive_softmax = {cutoffs("adaptive_softmax_cutoff"),
                             settings.number("adaptive_softmax_factor", 4.0)};
  if (config.adaptive_softmax.cutoffs.empty()) {
    config.adaptive_softmax.factor = BandsConfig().factor;  // without effect
  }
  config.tie_adaptive_weights = settings.flag("tie_adaptive_weights", defaults.adaptive);
  const bool old_tie = !settings.flag("no_tie_adaptive_proj", true);
  config.tie_adaptive_proj = config.tie_adaptive_weights &&
                             (old_tie || settings.flag("tie_adaptive_proj", defaults.adaptive));
}

}  // namespace

bool is_language_model_arch(const std::string& arch) {
  return arch.starts_with(kStock);
}

ModelConfig language_model_from_args(const FairseqSettings& settings) {
  ModelConfig config;
  config.arch = settings.text("arch", "");
  const Architecture defaults = find_architecture(config.arch);
  refuse_unsupported(settings);
  const bool stock = !config.arch.starts_with(kMultibranch);
  if (stock) {
    refuse_switched_on(settings, {"character_embeddings"});
  }
  config.encoder = {.layers = 0};
  config.conv_linear = settings.flag("conv_linear", false);
  config.activation =
      settings.find("activation_fn") == nullptr ? defaults.activation : parse_activation(settings);
  config.decoder = parse_decoder(settings, defaults, config.conv_linear);
  parse_bands(settings, defaults, config);
  const int width = config.decoder.embed_dim;
  const int input = settings.integer("decoder_input_dim", width, kMaxWidth);
  config.decoder_input_dim = input == width ? 0 : input;
  // The paper's code compares it with the input's where the tables are one, and reads it no more.
  const int output = settings.integer("decoder_output_dim", width, kMaxWidth);
  if (const int expected = config.tie_adaptive_weights ? input : width;
      (stock || config.tie_adaptive_weights) && output != expected) {
    fail_setting("decoder_output_dim", fmt::format("expected {}, found {}", expected, output));
  }
  if (const nlohmann::json* words = settings.find("output_dictionary_size");
      words != nullptr && *words != -1) {
    fail_setting("output_dictionary_size",
                 "is not supported, found " + FairseqSettings::shown(*words));
  }
  config.share_decoder_input_output_embed =
      config.adaptive_softmax.cutoffs.empty() &&
      settings.flag("share_decoder_input_output_embed", false);
  config.weight_softmax = settings.flag("weight_softmax", true);
  config.token_positional_embeddings = !settings.flag("no_token_positional_embeddings", false);
  config.add_bos_token = settings.flag("add_bos_token", false);
  config.max_target_positions =
      settings.positions("max_target_positions", settings.positions("tokens_per_sample", 1024));
  return config;
}

}  // namespace ltz::formats
