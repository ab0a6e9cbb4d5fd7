#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/kernels/matrix.h"
#include "model/kernels/scratch.h"
#include "model/layers/adaptive_softmax.h"
#include "model/layers/embedding.h"
#include "model/layers/layers.h"
#include "model/layers/transformer.h"

// The parts of a Transformer.
namespace ltz {

// Throws ConfigError for a sentence of more tokens than that. side: "source" or "target".
void require_length(const TokenIds& sentence, int longest, const char* side);

// Of each token: how many come before it, without those that are <pad>; -1 for a <pad>.
std::vector<int> source_positions(const TokenIds& sentence);

// The connection around a block f: x = norm(x + f(x)), or x + f(norm(x)) in a pre-norm model.
struct Residual {
  const LayerNorm& norm;
  bool normalize_before;

  // f(x, y) sets y to its result. sum: where x + f is left, before any norm behind it, or null.
  template <typename Function>
  void operator()(MutableMatrixView x, Matrix* sum, const Function& f) const {
    Scratch y(x.rows(), x.cols());
    if (normalize_before) {
      Scratch normalized(x.rows(), x.cols());
      *normalized = x;
      norm(*normalized);
      f(*normalized, *y);
      x += *y;
      if (sum != nullptr) {
        *sum = x;
      }
    } else {
      f(x, *y);
      if (sum != nullptr) {
        *sum = x + *y;
      }
      norm(x, *y);
    }
  }

  // x: as it was; sum: as the forward pass left it. d: the gradient by the result, becomes that by
  // x. f_backward(x, dy, dx) is the backward pass of f.
  template <typename Function>
  void backward(MatrixView x, MatrixView sum, Matrix& d, Gradients& gradients,
                const Function& f_backward) const {
    if (normalize_before) {
      Matrix normalized = x;
      norm(normalized);
      Matrix dnormalized = Matrix::Zero(x.rows(), x.cols());
      f_backward(normalized, d, dnormalized);
      norm.backward(x, dnormalized, d, gradients);
    } else {
      Matrix dsum = Matrix::Zero(x.rows(), x.cols());
      norm.backward(sum, d, dsum, gradients);
      d = dsum;
      f_backward(x, dsum, d);
    }
  }
};

struct Layer {
  Layer(const ParameterLookup& parameters, const ModelConfig& config, Stack which, int index)
      : Layer(parameters, config, which == Stack::kEncoder ? config.encoder : config.decoder,
              which == Stack::kDecoder,
              (which == Stack::kEncoder ? "encoder.layers." : "decoder.layers.") +
                  std::to_string(index),
              index) {}

  Residual around(const LayerNorm& norm) const { return {norm, normalize_before}; }

  // sum: see Residual.
  void self_mix(MutableMatrixView x, SelfMixing::Memory& memory, std::span<const Context> contexts,
                Matrix* sum = nullptr) const {
    around(self_norm)(x, sum, [&](MatrixView input, MutableMatrixView output) {
      self_attn(input, memory, contexts, output);
    });
  }

  void attend(MutableMatrixView x, const Attention::Memory& memory,
              std::span<const Context> contexts, Matrix* sum = nullptr) const {
    around (*encoder_attn_norm)(x, sum, [&](MatrixView input, MutableMatrixView output) {
      (*encoder_attn)(input, memory, contexts, output);
    });
  }

  void feed_forward(MutableMatrixView x, Matrix* sum = nullptr) const {
    around(final_norm)(x, sum,
                       [&](MatrixView input, MutableMatrixView output) { ffn(input, output); });
  }

  bool normalize_before;
  SelfMixing self_attn;
  LayerNorm self_norm;
  std::optional<Attention> encoder_attn;  // of a decoder behind an encoder
  std::optional<LayerNorm> encoder_attn_norm;
  FeedForward ffn;
  LayerNorm final_norm;

 private:
  Layer(const ParameterLookup& parameters, const ModelConfig& config, const StackConfig& stack,
        bool decoder, const std::string& name, int index)
      : normalize_before(stack.normalize_before),
        self_attn(parameters, name + ".self_attn", config, stack, index, decoder),
        self_norm(parameters, name + ".self_attn_layer_norm"),
        ffn(parameters, name, stack, config.activation),
        final_norm(parameters, name + ".final_layer_norm") {
    if (decoder && !is_language_model(config)) {
      encoder_attn.emplace(parameters, name + ".encoder_attn", stack.embed_dim,
                           config.encoder.embed_dim, stack.attention_heads);
      encoder_attn_norm.emplace(parameters, name + ".encoder_attn_layer_norm");
    }
  }
};

struct Transformer::Layers {
  Layers(const ParameterLookup& parameters, const ModelConfig& config)
      : decoder_embedding(parameters, config, Stack::kDecoder) {
    if (!is_language_model(config)) {
      encoder_embedding.emplace(parameters, config, Stack::kEncoder);
    }
    if (!config.adaptive_softmax.cutoffs.empty()) {
      adaptive_softmax.emplace(parameters, config);
    } else {
      output = &parameters.matrix(output_table(config), config.target_vocabulary_size,
                                  config.decoder.embed_dim);
    }
    for (int i = 0; i < config.encoder.layers; ++i) {
      encoder.emplace_back(parameters, config, Stack::kEncoder, i);
    }
    for (int i = 0; i < config.decoder.layers; ++i) {
      decoder.emplace_back(parameters, config, Stack::kDecoder, i);
    }
    if (config.encoder.final_norm) {
      encoder_norm.emplace(parameters, "encoder.layer_norm");
    }
    if (config.decoder.final_norm) {
      decoder_norm.emplace(parameters, "decoder.layer_norm");
    }
  }

  // The stack's last norm, if this sublayer is its last one and there is such a norm.
  const LayerNorm* norm_behind(const SublayerPlace& place) const {
    const bool in_encoder = place.stack == Stack::kEncoder;
    const auto& norm = in_encoder ? encoder_norm : decoder_norm;
    const auto layers = static_cast<int>((in_encoder ? encoder : decoder).size());
    const bool last = place.layer + 1 == layers && place.sublayer == Sublayer::kFeedForward;
    return last && norm ? &*norm : nullptr;
  }

  std::optional<Embedding> encoder_embedding;
  Embedding decoder_embedding;
  std::vector<Layer> encoder;
  std::vector<Layer> decoder;
  std::optional<LayerNorm> encoder_norm;
  std::optional<LayerNorm> decoder_norm;
  const WeightMatrix* output = nullptr;  // or instead:
  std::optional<AdaptiveSoftmax> adaptive_softmax;
};

}  // namespace ltz
