#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ltz {

// GELU: the exact form with erf, or the one with tanh, fairseq's gelu_accurate (Hendrycks & Gimpel
// 2016, section 2).
enum class Activation { kRelu, kGelu, kGeluTanh, kTanh, kLinear };

enum class BranchType { kAttention, kLightweight, kDynamic };

// One branch of Long-Short Range Attention: it sees `channels` of the layer's input channels and
// makes as many output channels. A layer of a convolution-only model (Wu et al. 2019) is one
// convolution branch over all channels.
struct BranchConfig {
  BranchType type = BranchType::kAttention;
  int kernel_size = 0;  // 0: the layer's entry of StackConfig::kernel_sizes
  int channels = 0;
  int heads = 1;
  bool glu = false;       // a gated linear unit behind linear1, which is then twice as wide
  int conv_channels = 0;  // between linear1 and linear2 of a convolution; 0: `channels`

  // Channels that a convolution itself works on.
  int inner_channels() const { return conv_channels == 0 ? channels : conv_channels; }

  bool operator==(const BranchConfig&) const = default;
};

// Words in bands of falling frequency, of which each has vectors of its own width (Grave et al.
// 2017; Baevski & Auli 2019). See bands.h.
struct BandsConfig {
  std::vector<int> cutoffs;  // first words of all bands but the first; none: no bands
  double factor = 4.0;       // a band's vectors are so many times narrower than those before it

  bool operator==(const BandsConfig&) const = default;
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
  std::vector<int> kernel_sizes;       // one per layer; for branches with the default kernel
  std::vector<BranchConfig> branches;  // none: one ordinary multi-head self-attention

  bool operator==(const StackConfig&) const = default;

  // Taps of a convolution branch in this layer.
  int kernel_size(const BranchConfig& branch, int layer) const;
};

// What fairseq calls `args`: the hyper-parameters that the model's shape and arithmetic depend on.
// A language model is a decoder alone: it has no encoder (no layers, no source vocabulary), and its
// decoder no cross-attention.
struct ModelConfig {
  std::string arch;  // fairseq's name; also tells the family, see is_convolution_only
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
  // What only language models have.
  BandsConfig adaptive_input;         // of the decoder's embeddings
  BandsConfig adaptive_softmax;       // of the output
  int decoder_input_dim = 0;          // channels of the first band's embeddings; 0: embed_dim
  bool tie_adaptive_weights = false;  // the output's tables are those of the input
  bool tie_adaptive_proj = false;     // and so are the projections of all bands but the first
  bool add_bos_token = false;         // every text begins with <s>, which nothing predicts

  bool operator==(const ModelConfig&) const = default;
};

bool is_language_model(const ModelConfig& config);

// The models of "Pay Less Attention with Lightweight and Dynamic Convolutions" (Wu et al. 2019),
// fairseq's lightconv*: one convolution and no self-attention in a layer. They differ from a
// multi-branch model with such a branch in what padding is to them (it is zeroed right in front of
// the convolution, behind linear1) and in the names fairseq gives to their parameters.
bool is_convolution_only(const ModelConfig& config);

// Throws ConfigError, naming the setting, when no model of that shape can be built: branch channels
// that do not add up to the width, heads that do not divide channels, a missing kernel size, …
void validate(const ModelConfig& config);

}  // namespace ltz
