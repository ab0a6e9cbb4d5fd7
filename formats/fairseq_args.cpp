// The hyper-parameters. Facts: fairseq/models/transformer_multibranch_v2.py and transformer.py of
// mit-han-lab/lite-transformer, functions base_architecture() and those registered beside it.

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <system_error>

#include "formats/fairseq.h"
#include "model/error.h"

namespace ltz::formats {
namespace {

using nlohmann::json;

constexpr std::string_view kMultibranch = "transformer_multibranch_v2";
constexpr std::string_view kVanilla = "transformer";
// Far above anything trained; they keep products and per-layer lists small.
constexpr int kMaxLayers = 1024;
constexpr int kMaxWidth = 1 << 20;
constexpr std::size_t kMaxBranches = 64;

struct Architecture {
  std::string_view suffix;
  int embed_dim;
  int ffn_embed_dim;
  int heads;
  bool normalize_before;
  bool decoder_follows_encoder;  // the decoder's widths default to the encoder's, whatever it has
};

constexpr Architecture kArchitectures[] = {
    {"", 512, 2048, 8, false, true},
    {"_wmt_en_de", 512, 2048, 8, false, true},
    {"_iwslt_de_en", 512, 1024, 4, false, false},
    {"_vaswani_wmt_en_de_big", 1024, 4096, 16, false, false},
    {"_vaswani_wmt_en_fr_big", 1024, 4096, 16, false, false},
    {"_wmt_en_de_big", 1024, 4096, 16, false, false},
    {"_wmt_en_de_big_t2t", 1024, 4096, 16, true, false},
};

[[noreturn]] void fail(const std::string& setting, const std::string& reason) {
  throw ConfigError("setting " + setting + ": " + reason);
}

// The settings by name. None counts as not set.
class Settings {
 public:
  explicit Settings(const json& args) : args_(args) {}

  const json* find(const std::string& name) const {
    const auto found = args_.find(name);
    return found == args_.end() || found->is_null() ? nullptr : &*found;
  }

  int integer(const std::string& name, int fallback, int highest) const {
    const json* value = find(name);
    return value == nullptr ? fallback : to_integer(name, *value, highest);
  }

  bool flag(const std::string& name, bool fallback) const {
    const json* value = find(name);
    if (value == nullptr) {
      return fallback;
    }
    if (!value->is_boolean()) {
      fail(name, "expected True or False, found " + shown(*value));
    }
    return value->get<bool>();
  }

  std::string text(const std::string& name, const std::string& fallback) const {
    const json* value = find(name);
    if (value == nullptr) {
      return fallback;
    }
    if (!value->is_string()) {
      fail(name, "expected a string, found " + shown(*value));
    }
    return value->get<std::string>();
  }

  // nullptr when not set.
  const json* list(const std::string& name) const {
    const json* value = find(name);
    if (value != nullptr && !value->is_array()) {
      fail(name, "expected a list, found " + shown(*value));
    }
    return value;
  }

  static int to_integer(const std::string& name, const json& value, int highest) {
    if (!value.is_number_integer() || value < 0 || value > highest) {
      fail(name, fmt::format("expected an integer of 0 to {}, found {}", highest, shown(value)));
    }
    return value.get<int>();
  }

  static std::string shown(const json& value) { return value.dump().substr(0, 80); }

 private:
  const json& args_;
};

const Architecture& find_architecture(const std::string& name) {
  for (const std::string_view family : {kMultibranch, kVanilla}) {
    if (name.starts_with(family)) {
      const std::string_view suffix = std::string_view(name).substr(family.size());
      const auto* found = std::ranges::find(kArchitectures, suffix, &Architecture::suffix);
      if (found != std::end(kArchitectures)) {
        return *found;
      }
    }
  }
  fail("arch", fmt::format("expected {0}* or {1}*, as the paper's code has them, found \"{2}\"",
                           kMultibranch, kVanilla, name));
}

// Whatever is neither None, False, empty nor zero is switched on.
bool switched_on(const json& value) {
  return !(value == false || value == 0 || value == "" || (value.is_structured() && value.empty()));
}

void refuse_unsupported(const Settings& settings) {
  for (const char* name :
       {"adaptive_input", "adaptive_softmax_cutoff", "tie_adaptive_weights", "tie_adaptive_proj",
        "cross_self_attention", "layer_wise_attention", "no_cross_attention", "char_inputs",
        "no_scale_embedding", "layernorm_embedding", "encoder_decoder_branch_type", "add_bias_kv",
        "add_zero_attn", "project_embed", "project_hidden", "base_layers"}) {
    const json* value = settings.find(name);
    if (value != nullptr && switched_on(*value)) {
      fail(name, "is not supported, found " + Settings::shown(*value));
    }
  }
  for (const char* name : {"encoder_ffn_list", "decoder_ffn_list"}) {
    const json* list = settings.list(name);
    if (list != nullptr && std::ranges::find(*list, json(false)) != list->end()) {
      fail(name, "layers without feed-forward network are not supported");
    }
  }
}

int parse_field(const std::string& setting, const std::string& branch, std::string_view field) {
  int number = 0;
  const char* end = field.data() + field.size();
  const auto [stop, error] = std::from_chars(field.data(), end, number);
  if (error != std::errc() || stop != end || number < 1 || number > kMaxWidth) {
    fail(setting, fmt::format("expected positive numbers in type:kernel:channels:heads, found "
                              "\"{}\"",
                              branch));
  }
  return number;
}

// "dynamic:default:248:4": type, kernel size, channels, heads.
BranchConfig parse_branch(const std::string& setting, const std::string& text) {
  std::vector<std::string_view> fields;
  std::string_view rest = text;
  for (std::size_t colon = 0; colon != std::string_view::npos;) {
    colon = rest.find(':');
    fields.push_back(rest.substr(0, colon));
    rest.remove_prefix(colon == std::string_view::npos ? rest.size() : colon + 1);
  }
  if (fields.size() != 4) {
    fail(setting, fmt::format("expected type:kernel:channels:heads, found \"{}\"", text));
  }
  BranchConfig branch;
  if (fields[0] == "attn") {
    branch.type = BranchType::kAttention;
  } else if (fields[0] == "lightweight") {
    branch.type = BranchType::kLightweight;
  } else if (fields[0] == "dynamic") {
    branch.type = BranchType::kDynamic;
  } else {
    fail(setting, fmt::format("expected attn, lightweight or dynamic, found \"{}\"", text));
  }
  branch.kernel_size = fields[1] == "default" ? 0 : parse_field(setting, text, fields[1]);
  branch.channels = parse_field(setting, text, fields[2]);
  branch.heads = parse_field(setting, text, fields[3]);
  return branch;
}

std::vector<BranchConfig> parse_branches(const Settings& settings, const std::string& setting) {
  std::vector<BranchConfig> branches;
  const json* list = settings.list(setting);
  if (list == nullptr) {
    return branches;
  }
  if (list->size() > kMaxBranches) {
    fail(setting,
         fmt::format("expected at most {} branches, found {}", kMaxBranches, list->size()));
  }
  for (const json& branch : *list) {
    if (!branch.is_string()) {
      fail(setting, "expected strings, found " + Settings::shown(branch));
    }
    branches.push_back(parse_branch(setting, branch.get<std::string>()));
  }
  return branches;
}

// One entry holds for all layers; entries beyond the last layer are cut off.
std::vector<int> parse_kernel_sizes(const Settings& settings, const std::string& setting,
                                    int layers) {
  std::vector<int> sizes = {3, 7, 15, 31, 31, 31};
  if (const json* list = settings.list(setting)) {
    sizes.clear();
    for (const json& size : *list) {
      sizes.push_back(Settings::to_integer(setting, size, kMaxWidth));
    }
  }
  const auto count = static_cast<std::size_t>(layers);
  if (sizes.size() != 1 && sizes.size() < count) {
    fail(setting,
         fmt::format("expected {} entries, one per layer, found {}", layers, sizes.size()));
  }
  sizes.resize(count, sizes.empty() ? 0 : sizes.front());
  return sizes;
}

StackConfig parse_stack(const Settings& settings, const std::string& stack,
                        const StackConfig& defaults, bool multibranch) {
  StackConfig config = defaults;
  config.layers = settings.integer(stack + "_layers", defaults.layers, kMaxLayers);
  config.embed_dim = settings.integer(stack + "_embed_dim", defaults.embed_dim, kMaxWidth);
  config.ffn_embed_dim =
      settings.integer(stack + "_ffn_embed_dim", defaults.ffn_embed_dim, kMaxWidth);
  config.attention_heads =
      settings.integer(stack + "_attention_heads", defaults.attention_heads, kMaxWidth);
  config.normalize_before = settings.flag(stack + "_normalize_before", defaults.normalize_before);
  config.final_norm = config.normalize_before;
  config.learned_positions = settings.flag(stack + "_learned_pos", false);
  config.glu = settings.flag(stack + "_glu", true);
  if (multibranch) {
    config.branches = parse_branches(settings, stack + "_branch_type");
    // Without branches the list has no effect; upstream's default may then be too short.
    if (!config.branches.empty()) {
      config.kernel_sizes =
          parse_kernel_sizes(settings, stack + "_kernel_size_list", config.layers);
    }
  }
  return config;
}

Activation parse_activation(const Settings& settings) {
  const std::string name = settings.text("activation_fn", "relu");
  if (name == "relu") {
    return Activation::kRelu;
  }
  if (name == "gelu") {
    return Activation::kGelu;
  }
  fail("activation_fn", "expected relu or gelu, found \"" + name + "\"");
}

}  // namespace

ModelConfig config_from_args(const nlohmann::json& args) {
  if (!args.is_object()) {
    throw ConfigError("args: expected settings by name, found " + Settings::shown(args));
  }
  const Settings settings(args);
  ModelConfig config;
  config.arch = settings.text("arch", "");
  const Architecture& architecture = find_architecture(config.arch);
  refuse_unsupported(settings);
  const bool multibranch = config.arch.starts_with(kMultibranch);

  StackConfig defaults;
  defaults.embed_dim = architecture.embed_dim;
  defaults.ffn_embed_dim = architecture.ffn_embed_dim;
  defaults.attention_heads = architecture.heads;
  defaults.normalize_before = architecture.normalize_before;
  config.encoder = parse_stack(settings, "encoder", defaults, multibranch);
  if (architecture.decoder_follows_encoder) {
    defaults.embed_dim = config.encoder.embed_dim;
    defaults.ffn_embed_dim = config.encoder.ffn_embed_dim;
  }
  config.decoder = parse_stack(settings, "decoder", defaults, multibranch);
  if (settings.flag("no_decoder_final_norm", false)) {
    config.decoder.final_norm = false;
  }
  for (const char* name : {"decoder_input_dim", "decoder_output_dim"}) {
    const int width = config.decoder.embed_dim;
    if (const int found = settings.integer(name, width, kMaxWidth); found != width) {
      fail(name, fmt::format("expected {} (decoder_embed_dim), found {}", width, found));
    }
  }

  config.source_lang = settings.text("source_lang", "");
  config.target_lang = settings.text("target_lang", "");
  config.share_all_embeddings = settings.flag("share_all_embeddings", false);
  config.share_decoder_input_output_embed =
      config.share_all_embeddings || settings.flag("share_decoder_input_output_embed", false);
  config.conv_linear = settings.flag("conv_linear", false);
  config.weight_softmax = settings.flag("weight_softmax", true);
  config.token_positional_embeddings = !settings.flag("no_token_positional_embeddings", false);
  config.activation = parse_activation(settings);
  const int unlimited = std::numeric_limits<int>::max();
  config.max_source_positions = settings.integer("max_source_positions", 1024, unlimited);
  config.max_target_positions = settings.integer("max_target_positions", 1024, unlimited);
  return config;
}

}  // namespace ltz::formats
