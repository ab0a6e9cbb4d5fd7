#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ltz {

enum class Activation { kRelu, kGelu };

enum class BranchType { kAttention, kLightweight, kDynamic };

// One branch of Long-Short Range Attention: it sees `channels` of the layer's input channels.
struct BranchConfig {
  BranchType type = BranchType::kAttention;
  int kernel_size = 0;  // 0: the layer's entry of StackConfig::kernel_sizes
  int channels = 0;
  int heads = 1;

  bool operator==(const BranchConfig&) const = default;
};

// The encoder or the decoder.
struct StackConfig {
  int layers = 6;
  int embed_dim = 512;
  int ffn_embed_dim = 2048;
  int attention_heads = 8;  // of a plain self-attention, and of the decoder's cross-attention
  bool normalize_before = false;
  bool final_norm = false;  // a LayerNorm after the last layer
  bool learned_positions = false;
  bool glu = true;                     // after linear1 of a dynamic convolution
  std::vector<int> kernel_sizes;       // one per layer; for branches with the default kernel
  std::vector<BranchConfig> branches;  // none: one ordinary multi-head self-attention

  bool operator==(const StackConfig&) const = default;

  // Taps of a convolution branch in this layer.
  int kernel_size(const BranchConfig& branch, int layer) const;
};

// What upstream calls `args`: the hyper-parameters that the model's shape and arithmetic depend on.
struct ModelConfig {
  std::string arch;
  std::string source_lang;
  std::string target_lang;
  StackConfig encoder;
  StackConfig decoder;
  int source_vocabulary_size = 0;  // rows of the embedding, the four special tokens included
  int target_vocabulary_size = 0;
  bool share_all_embeddings = false;
  bool share_decoder_input_output_embed = false;
  bool conv_linear = false;  // linear1 and linear2 around a convolution
  bool weight_softmax = true;
  bool token_positional_embeddings = true;
  Activation activation = Activation::kRelu;
  int max_source_positions = 1024;
  int max_target_positions = 1024;

  bool operator==(const ModelConfig&) const = default;
};

// Throws ConfigError, naming the setting, when no model of that shape can be built: branch channels
// that do not add up to the width, heads that do not divide channels, a missing kernel size, …
void validate(const ModelConfig& config);

}  // namespace ltz
