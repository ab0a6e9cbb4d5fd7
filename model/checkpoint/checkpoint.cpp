#include "model/checkpoint/checkpoint.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "model/base/error.h"
#include "model/checkpoint/bands.h"
#include "model/text/sentence_piece_model.h"

namespace ltz {
namespace {

// Collects the parameters of one model in order of computation.
class SpecBuilder {
 public:
  explicit SpecBuilder(const ModelConfig& config) : config_(config) {}

  std::vector<ParameterSpec> build() {
    if (!is_language_model(config_)) {
      add_stack(Stack::kEncoder, config_.encoder, config_.source_vocabulary_size, true);
    }
    add_stack(Stack::kDecoder, config_.decoder, config_.target_vocabulary_size,
              !config_.share_all_embeddings);
    if (!config_.adaptive_softmax.cutoffs.empty()) {
      add_adaptive_softmax();
    } else if (!config_.share_decoder_input_output_embed && !config_.share_all_embeddings) {
      add_table("decoder.embed_out", config_.target_vocabulary_size, config_.decoder.embed_dim);
    }
    return std::move(specs_);
  }

 private:
  void add(const std::string& name, Shape shape, Component component, Role role) {
    specs_.push_back({name, std::move(shape), stack_, layer_, component, role});
  }

  void add_table(const std::string& name, int rows, int width) {
    add(name, {rows, width}, Component::kEmbedding, Role::kTable);
  }

  // Between a band's vectors and the model's.
  void add_projection(const std::string& name, int out, int in) {
    add(name, {out, in}, Component::kEmbedding, Role::kMatrix);
  }

  void add_adaptive_input() {
    const std::vector<Band> bands = input_bands(config_);
    for (std::size_t b = 0; b < bands.size(); ++b) {
      add_table(input_table(b), bands[b].size, bands[b].width);
      add_projection(input_projection(b), config_.decoder.embed_dim, bands[b].width);
    }
  }

  void add_adaptive_softmax() {
    const std::vector<Band> bands = output_bands(config_);
    if (bands.empty()) {
      return;
    }
    const int width = config_.decoder.embed_dim;
    const int tails = static_cast<int>(bands.size()) - 1;
    if (!config_.tie_adaptive_weights) {
      add_table(kSoftmaxHead, bands[0].size + tails, width);
    } else {
      if (bands[0].width != width) {
        add_projection(kWordProjection, bands[0].width, width);
      }
      if (tails > 0) {
        add_projection(kClassProjection, tails, width);
      }
    }
    for (std::size_t b = 1; b < bands.size(); ++b) {
      if (!config_.tie_adaptive_proj) {
        add_projection(tail_projection(b - 1), bands[b].width, width);
      }
      if (!config_.tie_adaptive_weights) {
        add_table(tail_table(b - 1), bands[b].size, bands[b].width);
      }
    }
  }

  void add_linear(const std::string& name, int out, int in, Component component) {
    add(name + ".weight", {out, in}, component, Role::kMatrix);
    add(name + ".bias", {out}, component, Role::kBias);
  }

  void add_norm(const std::string& name, int width) {
    add(name + ".weight", {width}, Component::kNorm, Role::kGain);
    add(name + ".bias", {width}, Component::kNorm, Role::kBias);
  }

  // key_width: channels of what is attended to.
  void add_attention(const std::string& name, int width, int key_width, Component component) {
    add_linear(name + ".q_proj", width, width, component);
    add_linear(name + ".k_proj", width, key_width, component);
    add_linear(name + ".v_proj", width, key_width, component);
    add_linear(name + ".out_proj", width, width, component);
  }

  void add_convolution(const std::string& name, const BranchConfig& branch, int taps) {
    const Component component = Component::kConvolution;
    const int inner = branch.inner_channels();
    if (config_.conv_linear) {
      add_linear(name + ".linear1", branch.glu ? 2 * inner : inner, branch.channels, component);
    }
    if (branch.type == BranchType::kDynamic) {
      add(name + ".weight_linear.weight", {branch.heads * taps, inner}, component, Role::kMatrix);
    } else {
      add(name + ".weight", {branch.heads, 1, taps}, component, Role::kKernel);
    }
    if (config_.conv_linear) {
      add_linear(name + ".linear2", branch.channels, inner, component);
    }
  }

  void add_self_mixing(const std::string& name, const StackConfig& stack) {
    if (stack.branches.empty()) {
      add_attention(name, stack.embed_dim, stack.embed_dim, Component::kAttention);
    }
    for (std::size_t b = 0; b < stack.branches.size(); ++b) {
      const BranchConfig& branch = stack.branches[b];
      const std::string branch_name = name + ".branches." + std::to_string(b);
      if (branch.type == BranchType::kAttention) {
        add_attention(branch_name, branch.channels, branch.channels, Component::kAttention);
      } else {
        add_convolution(branch_name, branch, stack.kernel_size(branch, layer_));
      }
    }
  }

  void add_stack(Stack which, const StackConfig& stack, int vocabulary_size, bool own_embedding) {
    stack_ = which;
    layer_ = -1;
    const bool encoder = which == Stack::kEncoder;
    const std::string name = encoder ? "encoder" : "decoder";
    if (!encoder && !config_.adaptive_input.cutoffs.empty()) {
      add_adaptive_input();
    } else if (own_embedding) {
      add_table(name + ".embed_tokens.weight", vocabulary_size, stack.embed_dim);
    }
    if (config_.token_positional_embeddings && stack.learned_positions) {
      const int positions = encoder ? config_.max_source_positions : config_.max_target_positions;
      add_table(name + ".embed_positions.weight", positions + Vocabulary::kPad + 1,
                stack.embed_dim);
    }
    for (layer_ = 0; layer_ < stack.layers; ++layer_) {
      const std::string layer = name + ".layers." + std::to_string(layer_);
      add_self_mixing(layer + ".self_attn", stack);
      add_norm(layer + ".self_attn_layer_norm", stack.embed_dim);
      if (!encoder && !is_language_model(config_)) {
        add_attention(layer + ".encoder_attn", stack.embed_dim, config_.encoder.embed_dim,
                      Component::kCrossAttention);
        add_norm(layer + ".encoder_attn_layer_norm", stack.embed_dim);
      }
      add_linear(layer + ".fc1", stack.ffn_embed_dim, stack.embed_dim, Component::kFeedForward);
      add_linear(layer + ".fc2", stack.embed_dim, stack.ffn_embed_dim, Component::kFeedForward);
      add_norm(layer + ".final_layer_norm", stack.embed_dim);
    }
    layer_ = -1;
    if (stack.final_norm) {
      add_norm(name + ".layer_norm", stack.embed_dim);
    }
  }

  const ModelConfig& config_;
  std::vector<ParameterSpec> specs_;
  Stack stack_ = Stack::kEncoder;
  int layer_ = -1;
};

void validate_tensor(const ParameterSpec& spec, const Tensor& tensor) {
  if (tensor.shape != spec.shape) {
    throw ConfigError("tensor " + spec.name + ": expected shape " + to_string(spec.shape) +
                      ", found " + to_string(tensor.shape));
  }
  const auto* quantized = std::get_if<QuantizedValues>(&tensor.data);
  const auto& floats =
      quantized != nullptr ? quantized->centroids : std::get<DenseValues>(tensor.data).values;
  const bool scaled = quantized != nullptr && !quantized->row_scales.empty();
  // What is finite in the row with the largest scale is finite in all of them.
  const float scale = scaled ? row_scale(std::ranges::max(quantized->row_scales)) : 1.0f;
  const auto bad =
      std::ranges::find_if_not(floats, [&](float v) { return std::isfinite(scale * v); });
  if (bad != floats.end()) {
    const std::string place = quantized != nullptr ? "centroid " : "element ";
    throw ConfigError("tensor " + spec.name + ": expected finite values, found " +
                      std::to_string(scale * *bad) + " at " + place +
                      std::to_string(bad - floats.begin()) +
                      (scaled ? " times the largest row scale" : ""));
  }
}

void validate_vocabulary(const std::string& which, const Vocabulary& vocabulary, int rows) {
  if (vocabulary.size() != rows) {
    throw ConfigError("the " + which + " dictionary does not match the model: expected " +
                      std::to_string(rows) + " entries (rows of the embedding), found " +
                      std::to_string(vocabulary.size()) + " (special tokens included)");
  }
}

}  // namespace

std::vector<ParameterSpec> parameter_specs(const ModelConfig& config) {
  return SpecBuilder(config).build();
}

void require_tensors_for_layers(const ModelConfig& config, std::size_t tensors) {
  std::size_t least = 0;
  for (const StackConfig* stack : {&config.encoder, &config.decoder}) {
    const std::size_t branches = std::max<std::size_t>(stack->branches.size(), 1);
    least += static_cast<std::size_t>(std::max(stack->layers, 0)) * branches;
  }
  if (tensors < least) {
    throw ConfigError("expected the tensors of " + std::to_string(config.encoder.layers) + " + " +
                      std::to_string(config.decoder.layers) + " layers, found " +
                      std::to_string(tensors) + " tensors");
  }
}

void validate(const Checkpoint& checkpoint) {
  const ModelConfig& config = checkpoint.config;
  validate(config);
  require_tensors_for_layers(config, checkpoint.tensors.size());
  std::set<std::string> expected;
  for (const ParameterSpec& spec : parameter_specs(config)) {
    const auto found = checkpoint.tensors.find(spec.name);
    if (found == checkpoint.tensors.end()) {
      throw ConfigError("tensor " + spec.name + " " + to_string(spec.shape) + " is missing");
    }
    validate_tensor(spec, found->second);
    expected.insert(spec.name);
  }
  for (const auto& [name, tensor] : checkpoint.tensors) {
    if (!expected.contains(name)) {
      throw ConfigError("tensor " + name + " " + to_string(tensor.shape) +
                        " does not belong to a model of this configuration");
    }
  }
  if (!checkpoint.sentencepiece.empty()) {
    if (!checkpoint.merges.empty()) {
      throw ConfigError("expected merges or a SentencePiece model, found both");
    }
    parse_sentence_piece_model(checkpoint.sentencepiece);
  }
  if (is_language_model(config)) {
    if (!checkpoint.source_vocabulary.words().empty()) {
      throw ConfigError("expected no source dictionary beside a language model, found one");
    }
  } else {
    validate_vocabulary("source", checkpoint.source_vocabulary, config.source_vocabulary_size);
  }
  validate_vocabulary("target", checkpoint.target_vocabulary, config.target_vocabulary_size);
  if (config.share_all_embeddings && checkpoint.source_vocabulary != checkpoint.target_vocabulary) {
    throw ConfigError("the embeddings are shared, but the source and target dictionaries differ");
  }
}

std::string group_name(const ParameterSpec& spec) {
  const std::string stack = spec.stack == Stack::kEncoder ? "encoder " : "decoder ";
  switch (spec.component) {
    case Component::kEmbedding:
      return "embedding";
    case Component::kAttention:
      return stack + "attention";
    case Component::kConvolution:
      return stack + "convolution";
    case Component::kCrossAttention:
      return stack + "cross-attention";
    case Component::kFeedForward:
      return stack + "feed-forward";
    case Component::kNorm:
      return "layer norm";
  }
  return {};
}

}  // namespace ltz
