#include "model/layers/transformer.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "model/base/error.h"
#include "model/layers/transformer_layers.h"

namespace ltz {

std::vector<int> source_positions(const TokenIds& sentence) {
  std::vector<int> positions;
  int next = 0;
  for (const int token : sentence) {
    positions.push_back(token == Vocabulary::kPad ? -1 : next++);
  }
  return positions;
}

std::vector<std::int32_t> attended_rows(const TokenIds& sentence, std::int32_t first) {
  std::vector<std::int32_t> rows;
  for (std::size_t i = 0; i < sentence.size(); ++i) {
    if (sentence[i] != Vocabulary::kPad) {
      rows.push_back(first + static_cast<std::int32_t>(i));
    }
  }
  if (rows.empty()) {
    rows.resize(sentence.size());
    std::iota(rows.begin(), rows.end(), first);
  }
  return rows;
}

std::string embedding_table(const ModelConfig& config, Stack which) {
  return which == Stack::kEncoder || config.share_all_embeddings ? "encoder.embed_tokens.weight"
                                                                 : "decoder.embed_tokens.weight";
}

std::string output_table(const ModelConfig& config) {
  const bool tied = config.share_all_embeddings || config.share_decoder_input_output_embed;
  return tied ? embedding_table(config, Stack::kDecoder) : "decoder.embed_out";
}

TokenIds decoder_inputs(const ModelConfig& config, const TokenIds& target) {
  TokenIds inputs;
  if (config.add_bos_token && target.size() > 1) {
    inputs.push_back(Vocabulary::kBos);
  }
  inputs.push_back(Vocabulary::kEos);
  const std::size_t skipped = inputs.size() - 1;  // <s> among the targets
  if (target.size() > inputs.size()) {
    inputs.insert(inputs.end(), target.begin() + static_cast<std::ptrdiff_t>(skipped),
                  target.end() - 1);
  }
  inputs.resize(target.size());
  return inputs;
}

namespace {

// weights: (rows, columns)
std::vector<float> transposed(std::span<const float> weights, int rows, int columns) {
  std::vector<float> values(weights.size());
  Eigen::Map<Matrix>(values.data(), columns, rows) =
      Eigen::Map<const Matrix>(weights.data(), rows, columns).transpose();
  return values;
}

}  // namespace

Transformer::Transformer(const Checkpoint& checkpoint, Arithmetic arithmetic)
    : config_(checkpoint.config), observer_(std::make_unique<InputObserver>()) {
  validate(checkpoint);
  const auto find = [&](const std::string& name) -> std::span<const float> {
    const auto tensor = checkpoint.tensors.find(name);
    if (tensor == checkpoint.tensors.end()) {
      return {};
    }
    return parameters_.try_emplace(name, tensor->second.values()).first->second;
  };
  const auto matrix = [&](const std::string& name, int out, int in) -> const WeightMatrix& {
    const Tensor& weights = checkpoint.tensors.at(name);
    return matrices_.try_emplace(name, weights, out, in, arithmetic).first->second;
  };
  const auto transposed_matrix = [&](const std::string& name, int out,
                                     int in) -> const WeightMatrix& {
    const Tensor weights =
        dense_tensor({out, in}, transposed(checkpoint.tensors.at(name).values(), in, out));
    return transposed_.try_emplace(name, weights, out, in, arithmetic).first->second;
  };
  layers_ = std::make_unique<Layers>(
      ParameterLookup{find, matrix, transposed_matrix, observer_.get()}, config_);
}

Transformer::~Transformer() = default;
Transformer::Transformer(Transformer&&) noexcept = default;
Transformer& Transformer::operator=(Transformer&&) noexcept = default;

void Transformer::replace(const std::string& name, std::span<const float> values) {
  const auto plain = parameters_.find(name);
  const auto packed = matrices_.find(name);
  if (plain == parameters_.end() && packed == matrices_.end()) {
    throw ConfigError("there is no tensor " + name);
  }
  const std::size_t size =
      plain != parameters_.end() ? plain->second.size() : packed->second.size();
  if (size != values.size()) {
    throw ConfigError("tensor " + name + ": expected " + std::to_string(size) + " values, found " +
                      std::to_string(values.size()));
  }
  if (plain != parameters_.end()) {
    std::ranges::copy(values, plain->second.begin());
  }
  if (packed != matrices_.end()) {
    packed->second.assign(values);
  }
  if (const auto turned = transposed_.find(name); turned != transposed_.end()) {
    WeightMatrix& matrix = turned->second;
    matrix.assign(transposed(values, matrix.in(), matrix.out()));
  }
}

std::vector<float> Transformer::parameter(const std::string& name) const {
  if (const auto plain = parameters_.find(name); plain != parameters_.end()) {
    return plain->second;
  }
  const auto packed = matrices_.find(name);
  if (packed == matrices_.end()) {
    throw ConfigError("there is no tensor " + name);
  }
  const WeightMatrix& matrix = packed->second;
  std::vector<float> values(matrix.size());
  matrix.unpack(Eigen::Map<Matrix>(values.data(), matrix.out(), matrix.in()));
  return values;
}

void Transformer::observe_inputs(InputObserver observer) {
  *observer_ = std::move(observer);
}

void Transformer::check_source(const TokenIds& sentence) const {
  require_length(sentence, config_.max_source_positions, "source");
  for (const int token : sentence) {
    require_token(token, config_.source_vocabulary_size);
  }
}

EncodedBatch Transformer::encode(std::span<const TokenIds> sentences, int padded_length) const {
  EncodedBatch batch;
  batch.starts.push_back(0);
  for (const TokenIds& sentence : sentences) {
    check_source(sentence);
    batch.starts.push_back(batch.starts.back() + static_cast<std::int32_t>(sentence.size()));
  }
  Matrix& x = batch.output;
  x.resize(batch.starts.back(), config_.encoder.embed_dim);
  const Reading::Layout layout = lay_out(sentences, {}, padded_length);
  layers_->encoder_embedding->look_up(layout.source_tokens.ids, layout.source_tokens.positions, x);
  for (const Layer& layer : layers_->encoder) {
    SelfMixing::Memory memory = layer.self_attn.empty_memory();
    layer.self_mix(x, memory, layout.source);
    layer.feed_forward(x);
  }
  if (layers_->encoder_norm) {
    (*layers_->encoder_norm)(x);
  }
  return batch;
}

DecoderState Transformer::start_decoding() const {
  DecoderState state;
  for (const Layer& layer : layers_->decoder) {
    state.self_memory.push_back(layer.self_attn.empty_memory());
    if (layer.encoder_attn) {
      state.cross_memory.push_back(layer.encoder_attn->empty_memory());
    }
  }
  return state;
}

DecoderState Transformer::start_decoding(const EncodedBatch& encoded) const {
  DecoderState state = start_decoding();
  add_sources(state, encoded);
  return state;
}

void Transformer::add_sources(DecoderState& state, const EncodedBatch& encoded) const {
  for (std::size_t l = 0; l < layers_->decoder.size(); ++l) {
    layers_->decoder[l].encoder_attn->remember(encoded.output, state.cross_memory[l]);
  }
}

void DecoderState::keep_history(std::span<const std::int32_t> rows) {
  for (SelfMixing::Memory& memory : self_memory) {
    SelfMixing::keep(memory, rows);
  }
}

void DecoderState::keep_sources(std::span<const std::int32_t> rows) {
  for (Attention::Memory& memory : cross_memory) {
    memory.keep(rows);
  }
}

void Transformer::decode(DecoderState& state, std::span<const DecoderRow> rows,
                         MutableMatrixView x) const {
  Reading::Tokens tokens;
  std::vector<Context> self_contexts;
  std::vector<Context> source_contexts;
  self_contexts.reserve(rows.size());
  source_contexts.reserve(rows.size());
  for (const DecoderRow& row : rows) {
    tokens.ids.push_back(row.token);
    tokens.positions.push_back(row.position);
    self_contexts.push_back(
        {.rows = row.history, .position = row.position, .attended = row.history});
    source_contexts.push_back({.rows = row.source_rows, .attended = row.source_rows});
  }
  layers_->decoder_embedding.look_up(tokens.ids, tokens.positions, x);
  for (std::size_t l = 0; l < layers_->decoder.size(); ++l) {
    const Layer& layer = layers_->decoder[l];
    layer.self_mix(x, state.self_memory[l], self_contexts);
    if (layer.encoder_attn) {
      layer.attend(x, state.cross_memory[l], source_contexts);
    }
    layer.feed_forward(x);
  }
  if (layers_->decoder_norm) {
    (*layers_->decoder_norm)(x);
  }
}

Matrix Transformer::decode(DecoderState& state, std::span<const DecoderRow> rows) const {
  Matrix features(static_cast<Eigen::Index>(rows.size()), config_.decoder.embed_dim);
  decode(state, rows, features);
  return features;
}

const AdaptiveSoftmax* Transformer::adaptive_softmax() const {
  return layers_->adaptive_softmax ? &*layers_->adaptive_softmax : nullptr;
}

void Transformer::observe_output(MatrixView features) const {
  if (layers_->adaptive_softmax) {
    layers_->adaptive_softmax->observe_inputs(features);
  } else if (*observer_) {
    (*observer_)(output_table(config_), features);
  }
}

Matrix Transformer::logits(MatrixView features) const {
  observe_output(features);
  Matrix all(features.rows(), config_.target_vocabulary_size);
  logits(features, all);
  return all;
}

void Transformer::logits(MatrixView features, MutableMatrixView logits) const {
  if (layers_->adaptive_softmax) {
    layers_->adaptive_softmax->log_probabilities(features, logits);
  } else {
    this->logits(product_rows(features).all(), 0, logits);
  }
}

void Transformer::logits(const ProductRows::View& features, int first,
                         MutableMatrixView logits) const {
  layers_->output->multiply(features, logits, {}, WeightMatrix::Finish::kNone, first);
}

ProductRows Transformer::product_rows(MatrixView features) const {
  return {features, layers_->output->arithmetic()};
}

}  // namespace ltz
