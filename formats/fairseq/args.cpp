// The hyper-parameters. Facts: fairseq/models/transformer_multibranch_v2.py, transformer.py and
// lightconv.py of mit-han-lab/lite-transformer, functions base_architecture() and those registered
// beside it.

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/fairseq/args.h"
#include "formats/fairseq/fairseq.h"
#include "formats/fairseq/settings.h"
#include "model/base/error.h"

namespace ltz::formats {
namespace {

using nlohmann::json;

enum class Family { kMultibranch, kVanilla, kLightConv };

// Defaults that differ between the architectures registered for a family.
struct Architecture {
  std::string_view suffix;
  int embed_dim = 512;
  int ffn_embed_dim = 2048;
  int heads = 8;
  bool normalize_before = false;
  bool decoder_follows_encoder = false;  // its widths default to the encoder's, whatever it has
  bool glu = true;
};

constexpr Architecture kTransformers[] = {
    {.suffix = "", .decoder_follows_encoder = true},
    {.suffix = "_wmt_en_de", .decoder_follows_encoder = true},
    {"_iwslt_de_en", 512, 1024, 4},
    {"_vaswani_wmt_en_de_big", 1024, 4096, 16},
    {"_vaswani_wmt_en_fr_big", 1024, 4096, 16},
    {"_wmt_en_de_big", 1024, 4096, 16},
    {"_wmt_en_de_big_t2t", 1024, 4096, 16, true},
};

constexpr Architecture kLightConvs[] = {
    {.suffix = "", .decoder_follows_encoder = true},
    {.suffix = "_wmt_en_de", .decoder_follows_encoder = true},
    {.suffix = "_iwslt_de_en", .ffn_embed_dim = 1024, .heads = 4, .glu = false},
    {"_wmt_en_de_big", 1024, 4096, 16},
    {"_wmt_en_fr_big", 1024, 4096, 16},
    {"_wmt_zh_en_big", 1024, 4096, 16},
};

struct Found {
  Family family;
  Architecture architecture;
};

Found find_architecture(const std::string& name) {
  struct Row {
    Family family;
    std::string_view prefix;
    std::span<const Architecture> architectures;
  };
  static constexpr Row kFamilies[] = {
      {Family::kMultibranch, "transformer_multibranch_v2", kTransformers},
      {Family::kVanilla, "transformer", kTransformers},
      {Family::kLightConv, "lightconv", kLightConvs},
  };
  for (const Row& row : kFamilies) {
    if (name.starts_with(row.prefix)) {
      const std::string_view suffix = std::string_view(name).substr(row.prefix.size());
      const auto found = std::ranges::find(row.architectures, suffix, &Architecture::suffix);
      if (found != row.architectures.end()) {
        return {row.family, *found};
      }
      std::vector<std::string> known;
      for (const Architecture& architecture : row.architectures) {
        known.push_back(fmt::format("{}{}", row.prefix, architecture.suffix));
      }
      fail_setting("arch",
                   fmt::format("expected one of {}, which the paper's code has, found \"{}\"",
                               fmt::join(known, ", "), name));
    }
  }
  fail_setting("arch",
               fmt::format("expected a name that starts with transformer or lightconv, as those of "
                           "the paper's code, found \"{}\"",
                           name));
}

// The one convolution that a layer of lightconv* has. heads: of the convolution.
BranchConfig parse_single_convolution(const FairseqSettings& settings, const std::string& stack,
                                      const StackConfig& config, bool glu) {
  BranchConfig branch;
  const std::string type_setting = stack + "_conv_type";
  const std::string type = settings.text(type_setting, "dynamic");
  if (type == "dynamic") {
    branch.type = BranchType::kDynamic;
  } else if (type == "lightweight") {
    branch.type = BranchType::kLightweight;
  } else {
    fail_setting(type_setting, fmt::format("expected dynamic or lightweight, found \"{}\"", type));
  }
  branch.channels = config.embed_dim;
  branch.heads = config.attention_heads;
  branch.glu = glu;
  const std::string width_setting = stack + "_conv_dim";
  const int inner = settings.integer(width_setting, config.embed_dim, kMaxWidth);
  if (inner == 0 || branch.heads == 0 || inner % branch.heads != 0) {
    fail_setting(width_setting, fmt::format("expected a multiple of {} ({}_attention_heads), "
                                            "found {}",
                                            branch.heads, stack, inner));
  }
  branch.conv_channels = inner == config.embed_dim ? 0 : inner;
  return branch;
}

class StackParser {
 public:
  StackParser(const FairseqSettings& settings, Family family, bool conv_linear)
      : settings_(settings), family_(family), conv_linear_(conv_linear) {}

  // glu: the default.
  StackConfig parse(const std::string& stack, const StackConfig& defaults, bool glu) const {
    StackConfig config = defaults;
    config.layers = settings_.integer(stack + "_layers", defaults.layers, kMaxLayers);
    config.embed_dim = settings_.integer(stack + "_embed_dim", defaults.embed_dim, kMaxWidth);
    config.ffn_embed_dim =
        settings_.integer(stack + "_ffn_embed_dim", defaults.ffn_embed_dim, kMaxWidth);
    config.attention_heads =
        settings_.integer(stack + "_attention_heads", defaults.attention_heads, kMaxWidth);
    config.normalize_before =
        settings_.flag(stack + "_normalize_before", defaults.normalize_before);
    config.final_norm = config.normalize_before;
    config.learned_positions = settings_.flag(stack + "_learned_pos", false);
    add_branches(stack, settings_.flag(stack + "_glu", glu), config);
    return config;
  }

 private:
  void add_branches(const std::string& stack, bool glu, StackConfig& config) const {
    KernelSizeRules rules{.fallback = {3, 7, 15, 31, 31, 31}};
    if (family_ == Family::kLightConv) {
      if (stack == "encoder") {
        rules.fallback.push_back(31);
      }
      config.branches = {parse_single_convolution(settings_, stack, config, glu)};
    } else if (family_ == Family::kMultibranch) {
      rules.may_be_longer = true;
      config.branches = parse_branches(settings_, stack, glu && conv_linear_);
    }
    // Without branches the list has no effect; fairseq's default may then be too short.
    if (!config.branches.empty()) {
      config.kernel_sizes = parse_kernel_sizes(settings_, stack, config.layers, rules);
    }
  }

  const FairseqSettings& settings_;
  Family family_;
  bool conv_linear_;
};

void parse_stacks(const FairseqSettings& settings, const Found& found, ModelConfig& config) {
  const auto& [family, architecture] = found;
  const StackParser parser(settings, family, config.conv_linear);
  StackConfig defaults;
  defaults.embed_dim = architecture.embed_dim;
  defaults.ffn_embed_dim = architecture.ffn_embed_dim;
  defaults.attention_heads = architecture.heads;
  defaults.normalize_before = architecture.normalize_before;
  defaults.layers = family == Family::kLightConv ? 7 : 6;
  config.encoder = parser.parse("encoder", defaults, architecture.glu);
  if (architecture.decoder_follows_encoder) {
    defaults.embed_dim = config.encoder.embed_dim;
    defaults.ffn_embed_dim = config.encoder.ffn_embed_dim;
  }
  defaults.layers = 6;
  config.decoder = parser.parse("decoder", defaults, architecture.glu);
  const int width = config.decoder.embed_dim;
  if (family == Family::kLightConv && width != config.encoder.embed_dim) {
    fail_setting("decoder_embed_dim", fmt::format("expected {} (encoder_embed_dim), found {}",
                                                  config.encoder.embed_dim, width));
  }
  for (const char* name : {"decoder_input_dim", "decoder_output_dim"}) {
    if (const int other = settings.integer(name, width, kMaxWidth); other != width) {
      fail_setting(name, fmt::format("expected {} (decoder_embed_dim), found {}", width, other));
    }
  }
}

// Whatever is neither None, False, empty nor zero is switched on.
bool switched_on(const json& value) {
  return !(value == false || value == 0 || value == "" || (value.is_structured() && value.empty()));
}

}  // namespace

void refuse_switched_on(const FairseqSettings& settings, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const json* value = settings.find(name);
    if (value != nullptr && switched_on(*value)) {
      fail_setting(name, "is not supported, found " + FairseqSettings::shown(*value));
    }
  }
}

void refuse_unsupported(const FairseqSettings& settings) {
  refuse_switched_on(settings, {"cross_self_attention", "layer_wise_attention", "char_inputs",
                                "no_scale_embedding", "layernorm_embedding", "add_bias_kv",
                                "add_zero_attn", "project_embed", "project_hidden", "base_layers",
                                "moe_freq", "scale_fc", "scale_attn", "scale_heads", "scale_resids",
                                "encoder_layers_to_keep", "decoder_layers_to_keep"});
}

Activation parse_activation(const FairseqSettings& settings) {
  static constexpr std::pair<std::string_view, Activation> kNames[] = {
      {"relu", Activation::kRelu},          {"gelu", Activation::kGelu},
      {"gelu_fast", Activation::kGeluTanh}, {"gelu_accurate", Activation::kGeluTanh},
      {"tanh", Activation::kTanh},          {"linear", Activation::kLinear}};
  const std::string name = settings.text("activation_fn", "relu");
  for (const auto& [known, activation] : kNames) {
    if (name == known) {
      return activation;
    }
  }
  fail_setting("activation_fn",
               "expected relu, gelu, gelu_accurate, tanh or linear, found \"" + name + "\"");
}

ModelConfig config_from_args(const nlohmann::json& args) {
  const FairseqSettings settings(args);
  ModelConfig config;
  config.arch = settings.text("arch", "");
  if (is_language_model_arch(config.arch)) {
    return language_model_from_args(settings);
  }
  const Found found = find_architecture(config.arch);
  refuse_unsupported(settings);
  refuse_switched_on(settings, {"adaptive_input", "adaptive_softmax_cutoff", "tie_adaptive_weights",
                                "tie_adaptive_proj", "no_cross_attention",
                                "encoder_decoder_branch_type", "merge_src_tgt_embed"});
  if (found.family == Family::kLightConv) {
    config.conv_linear = true;
  } else {
    config.conv_linear = settings.flag("conv_linear", false);
    config.activation = parse_activation(settings);
  }
  parse_stacks(settings, found, config);
  if (found.family != Family::kLightConv && settings.flag("no_decoder_final_norm", false)) {
    config.decoder.final_norm = false;
  }
  config.source_lang = settings.text("source_lang", "");
  config.target_lang = settings.text("target_lang", "");
  config.share_all_embeddings = settings.flag("share_all_embeddings", false);
  config.share_decoder_input_output_embed =
      config.share_all_embeddings || settings.flag("share_decoder_input_output_embed", false);
  config.weight_softmax = settings.flag("weight_softmax", true);
  config.token_positional_embeddings = !settings.flag("no_token_positional_embeddings", false);
  config.max_source_positions = settings.positions("max_source_positions", 1024);
  config.max_target_positions = settings.positions("max_target_positions", 1024);
  return config;
}

}  // namespace ltz::formats
