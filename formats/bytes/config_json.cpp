#include "formats/bytes/config_json.h"

#include <array>
#include <cstdint>
#include <utility>

#include "model/base/error.h"

namespace ltz::formats {
namespace {

using nlohmann::json;

// What is far beyond every model, but keeps a hostile configuration from asking for a million
// layers, and heads x taps within an int.
namespace limits {
constexpr std::int64_t kLayers = 1000;
constexpr std::int64_t kBranches = 64;
constexpr std::int64_t kBands = 64;
constexpr std::int64_t kChannels = std::int64_t{1} << 20;
constexpr std::int64_t kTaps = std::int64_t{1} << 10;
constexpr std::int64_t kVocabulary = std::int64_t{1} << 28;
constexpr std::int64_t kPositions = std::int64_t{1} << 28;
// Limits of the text. All of the limits above at once make some 20 kB, four levels deep.
constexpr std::size_t kBytes = std::size_t{1} << 16;
constexpr int kDepth = 16;
}  // namespace limits

constexpr std::array<std::pair<BranchType, const char*>, 3> kBranchTypes = {
    {{BranchType::kAttention, "attention"},
     {BranchType::kLightweight, "lightweight"},
     {BranchType::kDynamic, "dynamic"}}};

constexpr std::array<std::pair<Activation, const char*>, 5> kActivations = {
    {{Activation::kRelu, "relu"},
     {Activation::kGelu, "gelu"},
     {Activation::kGeluTanh, "gelu_accurate"},
     {Activation::kTanh, "tanh"},
     {Activation::kLinear, "linear"}}};

[[noreturn]] void fail(const std::string& key, const std::string& expected, const json& found) {
  throw FormatError("configuration: " + key + ": expected " + expected + ", found " +
                    found.dump(-1, ' ', true, json::error_handler_t::replace).substr(0, 40));
}

template <typename Enum, std::size_t kCount>
const char* word_of(const std::array<std::pair<Enum, const char*>, kCount>& words, Enum value) {
  for (const auto& [candidate, word] : words) {
    if (candidate == value) {
      return word;
    }
  }
  throw FormatError("configuration: a value without a name");
}

// One JSON object; knows where it is, for messages.
class Object {
 public:
  Object(const json& object, std::string path) : object_(object), path_(std::move(path)) {
    if (!object_.is_object()) {
      fail(path_.empty() ? "the whole" : path_, "an object", object_);
    }
  }

  std::string path(const std::string& key) const { return path_.empty() ? key : path_ + "." + key; }

  bool has(const std::string& key) const { return object_.contains(key); }

  const json& at(const std::string& key) const {
    const auto found = object_.find(key);
    if (found == object_.end()) {
      throw FormatError("configuration: " + path(key) + " is missing");
    }
    return *found;
  }

  const json& array(const std::string& key, std::int64_t limit) const {
    const json& value = at(key);
    if (!value.is_array() || value.size() > static_cast<std::size_t>(limit)) {
      fail(path(key), "an array of at most " + std::to_string(limit) + " entries", value);
    }
    return value;
  }

  void read(const std::string& key, bool& out) const {
    if (!at(key).is_boolean()) {
      fail(path(key), "true or false", at(key));
    }
    out = at(key).get<bool>();
  }

  void read(const std::string& key, std::string& out) const {
    if (!at(key).is_string()) {
      fail(path(key), "a string", at(key));
    }
    out = at(key).get<std::string>();
  }

  void read(const std::string& key, int& out, std::int64_t limit) const {
    out = integer(path(key), at(key), limit);
  }

  void read(const std::string& key, double& out) const {
    if (!at(key).is_number()) {
      fail(path(key), "a number", at(key));
    }
    out = at(key).get<double>();
  }

  std::vector<int> integers(const std::string& key, std::int64_t most, std::int64_t limit) const {
    const json& values = array(key, most);
    std::vector<int> numbers;
    for (std::size_t i = 0; i < values.size(); ++i) {
      numbers.push_back(integer(path(key) + "[" + std::to_string(i) + "]", values[i], limit));
    }
    return numbers;
  }

  template <typename Enum, std::size_t kCount>
  void read(const std::string& key, Enum& out,
            const std::array<std::pair<Enum, const char*>, kCount>& words) const {
    std::string expected;
    for (const auto& [value, word] : words) {
      if (at(key) == word) {
        out = value;
        return;
      }
      expected += (expected.empty() ? "\"" : " or \"") + std::string(word) + "\"";
    }
    fail(path(key), expected, at(key));
  }

  static int integer(const std::string& path, const json& value, std::int64_t limit) {
    const std::string expected = "an integer from 0 to " + std::to_string(limit);
    // The parser keeps numbers without a sign as unsigned; the others are negative or fractions,
    // unless the value was made by hand.
    if (!value.is_number_integer() ||
        (value.is_number_unsigned()
             ? value.get<std::uint64_t>() > static_cast<std::uint64_t>(limit)
             : value.get<std::int64_t>() < 0 || value.get<std::int64_t>() > limit)) {
      fail(path, expected, value);
    }
    return value.get<int>();
  }

 private:
  const json& object_;
  std::string path_;
};

json to_json(const BranchConfig& branch) {
  return {{"type", word_of(kBranchTypes, branch.type)},
          {"kernel_size", branch.kernel_size},
          {"channels", branch.channels},
          {"heads", branch.heads},
          {"glu", branch.glu},
          {"conv_channels", branch.conv_channels}};
}

json to_json(const StackConfig& stack) {
  json branches = json::array();
  for (const BranchConfig& branch : stack.branches) {
    branches.push_back(to_json(branch));
  }
  return {{"layers", stack.layers},
          {"embed_dim", stack.embed_dim},
          {"ffn_embed_dim", stack.ffn_embed_dim},
          {"attention_heads", stack.attention_heads},
          {"normalize_before", stack.normalize_before},
          {"final_norm", stack.final_norm},
          {"learned_positions", stack.learned_positions},
          {"kernel_sizes", stack.kernel_sizes},
          {"branches", std::move(branches)}};
}

// dynamic_glu: whether a dynamic convolution without a key of its own has a GLU.
BranchConfig branch_from_json(const json& value, const std::string& path, bool dynamic_glu) {
  const Object object(value, path);
  BranchConfig branch;
  object.read("type", branch.type, kBranchTypes);
  object.read("kernel_size", branch.kernel_size, limits::kTaps);
  object.read("channels", branch.channels, limits::kChannels);
  object.read("heads", branch.heads, limits::kChannels);
  branch.glu = dynamic_glu && branch.type == BranchType::kDynamic;
  if (object.has("glu")) {
    object.read("glu", branch.glu);
  }
  if (object.has("conv_channels")) {
    object.read("conv_channels", branch.conv_channels, limits::kChannels);
  }
  return branch;
}

// The first files had one "glu" for all dynamic convolutions of a stack; without linear layers
// around them it had no effect.
StackConfig stack_from_json(const json& value, const std::string& path, bool conv_linear) {
  const Object object(value, path);
  StackConfig stack;
  object.read("layers", stack.layers, limits::kLayers);
  object.read("embed_dim", stack.embed_dim, limits::kChannels);
  object.read("ffn_embed_dim", stack.ffn_embed_dim, limits::kChannels);
  object.read("attention_heads", stack.attention_heads, limits::kChannels);
  object.read("normalize_before", stack.normalize_before);
  object.read("final_norm", stack.final_norm);
  object.read("learned_positions", stack.learned_positions);
  bool dynamic_glu = false;
  if (object.has("glu")) {
    object.read("glu", dynamic_glu);
  }
  stack.kernel_sizes = object.integers("kernel_sizes", limits::kLayers, limits::kTaps);
  const json& branches = object.array("branches", limits::kBranches);
  for (std::size_t i = 0; i < branches.size(); ++i) {
    const std::string where = object.path("branches") + "[" + std::to_string(i) + "]";
    stack.branches.push_back(branch_from_json(branches[i], where, dynamic_glu && conv_linear));
  }
  return stack;
}

json to_json(const BandsConfig& bands) {
  return {{"cutoffs", bands.cutoffs}, {"factor", bands.factor}};
}

BandsConfig bands_from_json(const json& value, const std::string& path) {
  const Object object(value, path);
  BandsConfig bands;
  bands.cutoffs = object.integers("cutoffs", limits::kBands, limits::kVocabulary);
  object.read("factor", bands.factor);
  return bands;
}

void add_language_model(const ModelConfig& config, json& object) {
  object["adaptive_input"] = to_json(config.adaptive_input);
  object["adaptive_softmax"] = to_json(config.adaptive_softmax);
  object["decoder_input_dim"] = config.decoder_input_dim;
  object["tie_adaptive_weights"] = config.tie_adaptive_weights;
  object["tie_adaptive_proj"] = config.tie_adaptive_proj;
  object["add_bos_token"] = config.add_bos_token;
}

void read_language_model(const Object& object, ModelConfig& config) {
  if (!object.has("adaptive_input")) {
    throw FormatError(
        "configuration: encoder_layers = 0 is for language models, but adaptive_input is missing");
  }
  config.adaptive_input = bands_from_json(object.at("adaptive_input"), "adaptive_input");
  config.adaptive_softmax = bands_from_json(object.at("adaptive_softmax"), "adaptive_softmax");
  object.read("decoder_input_dim", config.decoder_input_dim, limits::kChannels);
  object.read("tie_adaptive_weights", config.tie_adaptive_weights);
  object.read("tie_adaptive_proj", config.tie_adaptive_proj);
  object.read("add_bos_token", config.add_bos_token);
}

}  // namespace

nlohmann::json to_json(const ModelConfig& config) {
  json object = {{"arch", config.arch},
                 {"source_lang", config.source_lang},
                 {"target_lang", config.target_lang},
                 {"encoder", to_json(config.encoder)},
                 {"decoder", to_json(config.decoder)},
                 {"source_vocabulary_size", config.source_vocabulary_size},
                 {"target_vocabulary_size", config.target_vocabulary_size},
                 {"share_all_embeddings", config.share_all_embeddings},
                 {"share_decoder_input_output_embed", config.share_decoder_input_output_embed},
                 {"conv_linear", config.conv_linear},
                 {"weight_softmax", config.weight_softmax},
                 {"token_positional_embeddings", config.token_positional_embeddings},
                 {"activation", word_of(kActivations, config.activation)},
                 {"max_source_positions", config.max_source_positions},
                 {"max_target_positions", config.max_target_positions}};
  if (is_language_model(config)) {
    add_language_model(config, object);
  }
  return object;
}

ModelConfig config_from_json(const nlohmann::json& value) {
  const Object object(value, "");
  ModelConfig config;
  object.read("arch", config.arch);
  object.read("source_lang", config.source_lang);
  object.read("target_lang", config.target_lang);
  object.read("conv_linear", config.conv_linear);
  config.encoder = stack_from_json(object.at("encoder"), "encoder", config.conv_linear);
  config.decoder = stack_from_json(object.at("decoder"), "decoder", config.conv_linear);
  object.read("source_vocabulary_size", config.source_vocabulary_size, limits::kVocabulary);
  object.read("target_vocabulary_size", config.target_vocabulary_size, limits::kVocabulary);
  object.read("share_all_embeddings", config.share_all_embeddings);
  object.read("share_decoder_input_output_embed", config.share_decoder_input_output_embed);
  object.read("weight_softmax", config.weight_softmax);
  object.read("token_positional_embeddings", config.token_positional_embeddings);
  object.read("activation", config.activation, kActivations);
  object.read("max_source_positions", config.max_source_positions, limits::kPositions);
  object.read("max_target_positions", config.max_target_positions, limits::kPositions);
  if (is_language_model(config)) {
    read_language_model(object, config);
  }
  return config;
}

std::string config_text(const ModelConfig& config) {
  const json object = to_json(config);
  config_from_json(object);
  try {
    return object.dump();
  } catch (const json::exception& error) {
    throw FormatError(std::string("configuration: ") + error.what());
  }
}

ModelConfig config_from_text(std::string_view text) {
  if (text.size() > limits::kBytes) {
    throw FormatError("configuration: expected at most " + std::to_string(limits::kBytes) +
                      " bytes, found " + std::to_string(text.size()));
  }
  // Every bracket makes an object of many times its size.
  const auto check_depth = [](int depth, json::parse_event_t, json&) {
    if (depth > limits::kDepth) {
      throw FormatError("configuration: nested more than " + std::to_string(limits::kDepth) +
                        " deep");
    }
    return true;
  };
  json parsed;
  try {
    parsed = json::parse(text, check_depth);
  } catch (const json::exception& error) {
    throw FormatError(std::string("configuration: ") + error.what());
  }
  return config_from_json(parsed);
}

}  // namespace ltz::formats
