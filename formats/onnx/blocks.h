#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "formats/onnx/graph.h"
#include "formats/onnx/onnx.h"
#include "formats/onnx/parameters.h"
#include "model/checkpoint/checkpoint.h"

// The blocks of a Lite Transformer as nodes of an ONNX graph. The encoder works on whole sentences,
// its x are (batch, source, channels); the decoder on one token of each, its x are (batch,
// channels). `prefix` is that of the names of a block's parameters.
namespace ltz::formats {

// The graph that is being built and what it is built from.
struct OnnxBuilder {
  const ModelConfig& config;
  const OnnxOptions& options;
  OnnxGraph& graph;
  OnnxParameters& parameters;
  // What is computed at export comes from here.
  const Checkpoint& checkpoint;

  const StackConfig& stack(Stack which) const {
    return which == Stack::kEncoder ? config.encoder : config.decoder;
  }
  // Lengths of inputs and outputs: the fixed one, or this name.
  OnnxDimension batch() const;
  OnnxDimension source_batch() const;  // of what comes from the encoder: 1 will do as well
  OnnxDimension source() const;
};

inline const char* name_of(Stack which) {
  return which == Stack::kEncoder ? "encoder" : "decoder";
}

// What attention scores get where there is nothing to be attended to: e^ of it is zero.
inline constexpr float kOnnxMasked = -1e9f;

// Where a source sentence ends.
struct OnnxSourceMask {
  OnnxValue kept;  // (batch, source, 1): 1, and 0 in the padding
  OnnxValue bias;  // (batch, 1, 1, source): 0, and kOnnxMasked in the padding
};

// The decoder's place and memory.
struct OnnxStep {
  OnnxValue position;  // (1), int64: number of tokens before this one
  // With fixed lengths: which of the (target) slots for keys and values is this token's, and what
  // keeps attention from those behind it. Both (target): bool and float32.
  OnnxValue slot = {};
  OnnxValue bias = {};
  // Memories for the next step.
  std::vector<std::pair<OnnxValue, OnnxPort>> present = {};
};

// onnx_layers.cpp

// x W^T + b of the last dimension.
OnnxValue linear(OnnxBuilder& builder, const OnnxValue& x, const std::string& prefix);
OnnxValue layer_norm(OnnxBuilder& builder, const OnnxValue& x, const std::string& prefix);
OnnxValue feed_forward(OnnxBuilder& builder, const OnnxValue& x, const std::string& layer);

// A block with its residual connection and LayerNorm: see Residual of model/layers.
using OnnxBlock = std::function<OnnxValue(const OnnxValue& x)>;
OnnxValue with_residual(OnnxBuilder& builder, Stack which, const OnnxValue& x,
                        const std::string& norm, const OnnxBlock& block);

// The input's channels split between the branches, their outputs put side by side.
// mix: (branch, its prefix, its number, its channels of x) -> as many channels.
using OnnxBranch =
    std::function<OnnxValue(const BranchConfig&, const std::string&, int, const OnnxValue&)>;
OnnxValue mix_branches(OnnxBuilder& builder, Stack which, const OnnxValue& x,
                       const std::string& prefix, const OnnxBranch& mix);

// onnx_embedding.cpp

// tokens: (batch, source) int64 -> x
OnnxValue embed_source(OnnxBuilder& builder, const OnnxValue& tokens);
// token: (batch) int64 -> x
OnnxValue embed_step(OnnxBuilder& builder, const OnnxStep& step, const OnnxValue& token);

// onnx_attention.cpp

struct OnnxHeads {
  int channels;  // of queries, keys and values
  int heads;

  int width() const { return channels / heads; }
};
// What can be attended to: keys (batch, heads, width, tokens), values (batch, heads, tokens,
// width).
struct OnnxMemory {
  OnnxValue keys;
  OnnxValue values;
};
OnnxPort keys_port(const std::string& name, const OnnxDimension& batch, const OnnxHeads& heads,
                   const OnnxDimension& tokens);
OnnxPort values_port(const std::string& name, const OnnxDimension& batch, const OnnxHeads& heads,
                     const OnnxDimension& tokens);
// Keys and values of whole sentences.
OnnxMemory remember_source(OnnxBuilder& builder, const OnnxValue& x, const std::string& prefix,
                           const OnnxHeads& heads);
// The tokens of a sentence attend to each other.
OnnxValue attend_in_source(OnnxBuilder& builder, const OnnxValue& x, const OnnxSourceMask& mask,
                           const std::string& prefix, const OnnxHeads& heads);
// One token attends to a memory. bias: what is added to the scores (batch, heads, 1, tokens), or
// none.
OnnxValue attend_to(OnnxBuilder& builder, const OnnxValue& x, const OnnxMemory& memory,
                    const OnnxValue& bias, const std::string& prefix, const OnnxHeads& heads);
// One token attends to itself and to those before it. place: of the memory, "LAYER_BRANCH".
OnnxValue attend_in_target(OnnxBuilder& builder, OnnxStep& step, const OnnxValue& x,
                           const std::string& place, const std::string& prefix,
                           const OnnxHeads& heads);

// onnx_convolution.cpp

// Lightweight or dynamic, in whole sentences; zeros take the place of padding in front of the
// convolution itself, so that a sentence comes out as it does alone.
struct OnnxConvolution {
  const BranchConfig& branch;
  int taps;
  const std::string& prefix;
};
OnnxValue convolve_source(OnnxBuilder& builder, const OnnxValue& x, const OnnxSourceMask& mask,
                          const OnnxConvolution& convolution);
// The same, causal, at one token. place: of the window, "LAYER_BRANCH".
OnnxValue convolve_target(OnnxBuilder& builder, OnnxStep& step, const OnnxValue& x,
                          const std::string& place, const OnnxConvolution& convolution);

// onnx_adaptive_softmax.cpp

// Features of one token, (batch, channels) -> log probabilities (batch, vocabulary).
OnnxValue adaptive_log_probabilities(OnnxBuilder& builder, const OnnxValue& x);

// onnx_encoder.cpp, onnx_decoder_step.cpp

// Add all of a graph.
void build_encoder(OnnxBuilder& builder);
void build_decoder_step(OnnxBuilder& builder);

// What the encoder gives and the decoder takes, by decoder layer.
struct OnnxCrossPorts {
  OnnxPort keys;
  OnnxPort values;
};
OnnxCrossPorts cross_ports(const OnnxBuilder& builder, int layer, const OnnxDimension& batch);
OnnxPort source_bias_port(const OnnxBuilder& builder, const OnnxDimension& batch);

}  // namespace ltz::formats
