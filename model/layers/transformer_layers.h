#pragma once

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/base/assert.h"
#include "model/kernels/matrix.h"
#include "model/kernels/scratch.h"
#include "model/layers/layers.h"
#include "model/layers/transformer.h"

// The parts of a Transformer.
namespace ltz {

// Sinusoidal positions (Vaswani et al. 2017, section 3.5), (rows, width), in fairseq's layout:
// sines in the first half of the channels, cosines in the second. Row 0 is position 0 of the table;
// the first token of a sentence has row kPad + 1.
Matrix sinusoidal_positions(int rows, int width);
RowVector sinusoidal_position(int row, int width);  // one of them

// Of so many tokens a sentence finds its sinusoids in a table. A model may set no limit to its
// sentences, and those of further tokens are rare enough to be computed.
inline constexpr int kTabledPositions = 1024;

// Throws ConfigError for a sentence of more tokens than that. side: "source" or "target".
void require_length(const TokenIds& sentence, int longest, const char* side);

// Throws ConfigError for an id outside of a vocabulary of so many.
void require_token(int token, int vocabulary);

// Of each token: how many come before it, without those that are <pad>; -1 for a <pad>.
std::vector<int> source_positions(const TokenIds& sentence);

// Token embedding, scaled by sqrt(width), plus position.
class Embedding {
 public:
  Embedding(const ParameterLookup& parameters, const ModelConfig& config, Stack which) {
    const bool encoder = which == Stack::kEncoder;
    const StackConfig& stack = encoder ? config.encoder : config.decoder;
    const std::string name = encoder ? "encoder" : "decoder";
    width_ = stack.embed_dim;
    rows_ = encoder ? config.source_vocabulary_size : config.target_vocabulary_size;
    table_ = embedding_table(config, which);
    longest_ = encoder ? config.max_source_positions : config.max_target_positions;
    tokens_ = parameters(table_).data();
    if (!config.token_positional_embeddings) {
      return;
    }
    if (stack.learned_positions) {
      learned_positions_ = name + ".embed_positions.weight";
      positions_ = parameters(learned_positions_).data();
    } else {
      const int tabled = std::min(longest_, kTabledPositions);
      sinusoids_ = sinusoidal_positions(tabled + Vocabulary::kPad + 1, width_);
      sinusoids_.row(Vocabulary::kPad).setZero();
      positions_ = sinusoids_.data();
    }
  }

  Embedding(const Embedding&) = delete;  // positions_ may point into sinusoids_
  Embedding& operator=(const Embedding&) = delete;

  // position: from 0, below the model's maximum; -1: that of padding, row kPad.
  void look_up(int token, int position, float* out) const {
    require_token(token, rows_);
    LTZ_ASSERT(-1 <= position && position < longest_);
    const Eigen::Map<const RowVector> embedded(tokens_ + std::ptrdiff_t{token} * width_, width_);
    Eigen::Map<RowVector> x(out, width_);
    x = embedded * std::sqrt(static_cast<float>(width_));
    const std::ptrdiff_t row = position + Vocabulary::kPad + 1;
    if (sinusoids_.rows() != 0 && row >= sinusoids_.rows()) {
      x += sinusoidal_position(static_cast<int>(row), width_);
    } else if (positions_ != nullptr) {
      x += Eigen::Map<const RowVector>(positions_ + row * width_, width_);
    }
  }

  // dx: (width), the gradient of a loss by what look_up made of these.
  void backward(int token, int position, const float* dx, Gradients& gradients) const {
    const Eigen::Map<const RowVector> from(dx, width_);
    Eigen::Map<RowVector>(gradients[table_].data() + std::ptrdiff_t{token} * width_, width_) +=
        from * std::sqrt(static_cast<float>(width_));
    if (!learned_positions_.empty()) {
      const std::ptrdiff_t row = position + Vocabulary::kPad + 1;
      Eigen::Map<RowVector>(gradients[learned_positions_].data() + row * width_, width_) += from;
    }
  }

 private:
  std::string table_;
  std::string learned_positions_;  // or none
  int width_ = 0;
  int rows_ = 0;
  int longest_ = 0;                   // sentence
  const float* tokens_ = nullptr;     // (vocabulary, width)
  const float* positions_ = nullptr;  // (maximum or kTabledPositions + 2, width), or none
  Matrix sinusoids_;
};

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
  std::optional<Attention> encoder_attn;  // the decoder's
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
    if (decoder) {
      encoder_attn.emplace(parameters, name + ".encoder_attn", stack.embed_dim,
                           config.encoder.embed_dim, stack.attention_heads);
      encoder_attn_norm.emplace(parameters, name + ".encoder_attn_layer_norm");
    }
  }
};

struct Transformer::Layers {
  Layers(const ParameterLookup& parameters, const ModelConfig& config)
      : encoder_embedding(parameters, config, Stack::kEncoder),
        decoder_embedding(parameters, config, Stack::kDecoder),
        output(parameters.matrix(output_table(config), config.target_vocabulary_size,
                                 config.decoder.embed_dim)) {
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

  // The rows of x that belong to a source sentence.
  struct SourceRows {
    std::span<const std::int32_t> own;
    std::span<const std::int32_t> attended;  // see attended_rows
    int padded_length = 0;                   // see Transformer::encode
  };

  // Looks a source sentence up. contexts: those of its tokens are added.
  void embed_source(const TokenIds& sentence, const SourceRows& rows, Matrix& x,
                    std::vector<Context>& contexts) const {
    const std::vector<int> positions = source_positions(sentence);
    for (std::size_t i = 0; i < sentence.size(); ++i) {
      encoder_embedding.look_up(sentence[i], positions[i], x.row(rows.own[i]).data());
      contexts.push_back({.rows = rows.own,
                          .position = static_cast<int>(i),
                          .padding = rows.padded_length - static_cast<int>(rows.own.size()),
                          .attended = rows.attended,
                          .is_padding = sentence[i] == Vocabulary::kPad});
    }
  }

  // The same for one row of the decoder: x is the row, and it looks at its history and its source.
  void embed_target(const DecoderRow& row, float* x, std::vector<Context>& history,
                    std::vector<Context>& source) const {
    decoder_embedding.look_up(row.token, row.position, x);
    history.push_back({.rows = row.history, .position = row.position, .attended = row.history});
    source.push_back({.rows = row.source_rows, .attended = row.source_rows});
  }

  Embedding encoder_embedding;
  Embedding decoder_embedding;
  std::vector<Layer> encoder;
  std::vector<Layer> decoder;
  std::optional<LayerNorm> encoder_norm;
  std::optional<LayerNorm> decoder_norm;
  const WeightMatrix& output;
};

}  // namespace ltz
