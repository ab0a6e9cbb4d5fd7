#include "model/transformer.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <utility>

#include "model/error.h"

extern "C" void openblas_set_num_threads(int threads);

namespace ltz {
namespace {

// Sinusoidal positions (Vaswani et al. 2017, section 3.5) in fairseq's layout: sines in the first
// half of the channels, cosines in the second. Row 0 is position 0 of the table; the first token of
// a sentence has row kPad + 1.
Matrix sinusoidal_positions(int rows, int width) {
  Matrix table = Matrix::Zero(rows, width);
  const int half = width / 2;
  const float rate = -std::log(10000.0f) / static_cast<float>(half - 1);
  for (int position = 0; position < rows; ++position) {
    for (int i = 0; i < half; ++i) {
      const float angle = static_cast<float>(position) * std::exp(static_cast<float>(i) * rate);
      table(position, i) = std::sin(angle);
      table(position, half + i) = std::cos(angle);
    }
  }
  return table;
}

// Token embedding, scaled by sqrt(width), plus position.
class Embedding {
 public:
  Embedding(const ParameterLookup& parameters, const ModelConfig& config, Stack which) {
    const bool encoder = which == Stack::kEncoder;
    const StackConfig& stack = encoder ? config.encoder : config.decoder;
    const std::string name = encoder ? "encoder" : "decoder";
    const bool shared = !encoder && config.share_all_embeddings;
    width_ = stack.embed_dim;
    rows_ = encoder ? config.source_vocabulary_size : config.target_vocabulary_size;
    tokens_ = parameters((shared ? "encoder" : name) + ".embed_tokens.weight").data();
    if (!config.token_positional_embeddings) {
      return;
    }
    if (stack.learned_positions) {
      positions_ = parameters(name + ".embed_positions.weight").data();
    } else {
      const int longest = encoder ? config.max_source_positions : config.max_target_positions;
      sinusoids_ = sinusoidal_positions(longest + Vocabulary::kPad + 1, width_);
      positions_ = sinusoids_.data();
    }
  }

  Embedding(const Embedding&) = delete;  // positions_ may point into sinusoids_
  Embedding& operator=(const Embedding&) = delete;

  // position: from 0, below the model's maximum.
  void look_up(int token, int position, float* out) const {
    if (token < 0 || token >= rows_) {
      throw ConfigError("token id " + std::to_string(token) + " is outside of the vocabulary of " +
                        std::to_string(rows_));
    }
    const Eigen::Map<const RowVector> embedded(tokens_ + std::ptrdiff_t{token} * width_, width_);
    Eigen::Map<RowVector> x(out, width_);
    x = embedded * std::sqrt(static_cast<float>(width_));
    if (positions_ != nullptr) {
      const std::ptrdiff_t row = position + Vocabulary::kPad + 1;
      x += Eigen::Map<const RowVector>(positions_ + row * width_, width_);
    }
  }

 private:
  int width_ = 0;
  int rows_ = 0;
  const float* tokens_ = nullptr;     // (vocabulary, width)
  const float* positions_ = nullptr;  // (maximum + 2, width), or none
  Matrix sinusoids_;
};

// A block with its residual connection: x = norm(x + f(x)), or x + f(norm(x)) in a pre-norm model.
template <typename Function>
void with_residual(Matrix& x, const LayerNorm& norm, bool normalize_before, Function f) {
  if (normalize_before) {
    Matrix normalized = x;
    norm(normalized);
    x += f(normalized);
  } else {
    Matrix y = f(x);
    norm(y, x);
    x = std::move(y);
  }
}

struct Layer {
  Layer(const ParameterLookup& parameters, const ModelConfig& config, Stack which, int index)
      : Layer(parameters, config, which == Stack::kEncoder ? config.encoder : config.decoder,
              which == Stack::kDecoder,
              (which == Stack::kEncoder ? "encoder.layers." : "decoder.layers.") +
                  std::to_string(index),
              index) {}

  void self_mix(Matrix& x, SelfMixing::Memory& memory, std::span<const Context> contexts) const {
    with_residual(x, self_norm, normalize_before,
                  [&](const Matrix& input) { return self_attn(input, memory, contexts); });
  }

  void attend(Matrix& x, const Attention::Memory& memory, std::span<const Context> contexts) const {
    with_residual(x, *encoder_attn_norm, normalize_before,
                  [&](const Matrix& input) { return (*encoder_attn)(input, memory, contexts); });
  }

  void feed_forward(Matrix& x) const {
    with_residual(x, final_norm, normalize_before, [&](const Matrix& input) { return ffn(input); });
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

}  // namespace

std::string output_table(const ModelConfig& config) {
  if (config.share_all_embeddings) {
    return "encoder.embed_tokens.weight";
  }
  return config.share_decoder_input_output_embed ? "decoder.embed_tokens.weight"
                                                 : "decoder.embed_out";
}

struct Transformer::Layers {
  Layers(const ParameterLookup& parameters, const ModelConfig& config)
      : encoder_embedding(parameters, config, Stack::kEncoder),
        decoder_embedding(parameters, config, Stack::kDecoder),
        output(parameters(output_table(config)).data(), config.target_vocabulary_size,
               config.decoder.embed_dim) {
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

  Embedding encoder_embedding;
  Embedding decoder_embedding;
  std::vector<Layer> encoder;
  std::vector<Layer> decoder;
  std::optional<LayerNorm> encoder_norm;
  std::optional<LayerNorm> decoder_norm;
  Eigen::Map<const Matrix> output;
};

Transformer::Transformer(const Checkpoint& checkpoint)
    : config_(checkpoint.config), observer_(std::make_unique<InputObserver>()) {
  validate(checkpoint);
  // Batches are what runs in parallel here, not the products inside them.
  openblas_set_num_threads(1);
  for (const auto& [name, tensor] : checkpoint.tensors) {
    parameters_.emplace(name, tensor.values());
  }
  const auto find = [this](const std::string& name) -> std::span<const float> {
    const auto found = parameters_.find(name);
    return found == parameters_.end() ? std::span<const float>() : found->second;
  };
  layers_ = std::make_unique<Layers>(ParameterLookup{find, observer_.get()}, config_);
}

Transformer::~Transformer() = default;
Transformer::Transformer(Transformer&&) noexcept = default;
Transformer& Transformer::operator=(Transformer&&) noexcept = default;

void Transformer::replace(const std::string& name, std::span<const float> values) {
  const auto found = parameters_.find(name);
  if (found == parameters_.end()) {
    throw ConfigError("there is no tensor " + name);
  }
  if (found->second.size() != values.size()) {
    throw ConfigError("tensor " + name + ": expected " + std::to_string(found->second.size()) +
                      " values, found " + std::to_string(values.size()));
  }
  std::ranges::copy(values, found->second.begin());
}

void Transformer::observe_inputs(InputObserver observer) {
  *observer_ = std::move(observer);
}

EncodedBatch Transformer::encode(std::span<const TokenIds> sentences, int padded_length) const {
  EncodedBatch batch;
  batch.starts.push_back(0);
  for (const TokenIds& sentence : sentences) {
    if (static_cast<int>(sentence.size()) > config_.max_source_positions) {
      throw ConfigError("a source sentence has " + std::to_string(sentence.size()) +
                        " tokens, the model takes at most " +
                        std::to_string(config_.max_source_positions));
    }
    batch.starts.push_back(batch.starts.back() + static_cast<std::int32_t>(sentence.size()));
  }
  Matrix& x = batch.output;
  x.resize(batch.starts.back(), config_.encoder.embed_dim);
  std::vector<std::int32_t> rows(static_cast<std::size_t>(x.rows()));
  std::iota(rows.begin(), rows.end(), 0);
  std::vector<Context> contexts;
  for (std::size_t s = 0; s < sentences.size(); ++s) {
    const auto start = static_cast<std::size_t>(batch.starts[s]);
    const std::span<const std::int32_t> own = std::span(rows).subspan(start, sentences[s].size());
    for (std::size_t i = 0; i < sentences[s].size(); ++i) {
      const int position = static_cast<int>(i);
      layers_->encoder_embedding.look_up(sentences[s][i], position, x.row(own[i]).data());
      contexts.push_back({own, position, padded_length - static_cast<int>(own.size())});
    }
  }
  for (const Layer& layer : layers_->encoder) {
    SelfMixing::Memory memory = layer.self_attn.empty_memory();
    layer.self_mix(x, memory, contexts);
    layer.feed_forward(x);
  }
  if (layers_->encoder_norm) {
    (*layers_->encoder_norm)(x);
  }
  return batch;
}

DecoderState Transformer::start_decoding(const EncodedBatch& encoded) const {
  DecoderState state;
  for (const Layer& layer : layers_->decoder) {
    state.self_memory.push_back(layer.self_attn.empty_memory());
    state.cross_memory.push_back(layer.encoder_attn->empty_memory());
    layer.encoder_attn->remember(encoded.output, state.cross_memory.back());
  }
  return state;
}

Matrix Transformer::decode(DecoderState& state, std::span<const DecoderRow> rows) const {
  Matrix x(static_cast<Eigen::Index>(rows.size()), config_.decoder.embed_dim);
  std::vector<Context> self_contexts;
  std::vector<Context> source_contexts;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const DecoderRow& row = rows[i];
    layers_->decoder_embedding.look_up(row.token, row.position,
                                       x.row(static_cast<Eigen::Index>(i)).data());
    self_contexts.push_back({row.history, row.position});
    source_contexts.push_back({row.source_rows, 0});
  }
  for (std::size_t l = 0; l < layers_->decoder.size(); ++l) {
    const Layer& layer = layers_->decoder[l];
    layer.self_mix(x, state.self_memory[l], self_contexts);
    layer.attend(x, state.cross_memory[l], source_contexts);
    layer.feed_forward(x);
  }
  if (layers_->decoder_norm) {
    (*layers_->decoder_norm)(x);
  }
  return x;
}

Matrix Transformer::logits(MatrixView features) const {
  if (*observer_) {
    (*observer_)(output_table(config_), features);
  }
  Matrix logits(features.rows(), layers_->output.rows());
  logits.noalias() = features * layers_->output.transpose();
  return logits;
}

}  // namespace ltz
