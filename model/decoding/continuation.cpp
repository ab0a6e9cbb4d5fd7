#include "model/decoding/continuation.h"

#include <algorithm>
#include <string>

#include "model/base/error.h"
#include "model/kernels/kernels.h"
#include "model/layers/embedding.h"

namespace ltz {

int start_token(const ModelConfig& config) {
  return config.add_bos_token ? Vocabulary::kBos : Vocabulary::kEos;
}

void require_language_model(const ModelConfig& config) {
  if (!is_language_model(config)) {
    throw ConfigError("expected a language model, found a translation model");
  }
}

void require_translation_model(const ModelConfig& config) {
  if (is_language_model(config)) {
    throw ConfigError("expected a translation model, found a language model");
  }
}

Continuation::Continuation(const Transformer& model) : model_(&model) {
  require_language_model(model.config());
  state_ = model.start_decoding();
  const int start = start_token(model.config());
  read({&start, 1});
}

void Continuation::extend(std::span<const int> tokens) {
  const ModelConfig& config = model_->config();
  if (const std::size_t length = size() + tokens.size();
      length >= static_cast<std::size_t>(config.max_target_positions)) {
    throw ConfigError("a text has " + std::to_string(length) + " tokens, the model takes at most " +
                      std::to_string(config.max_target_positions - 1));
  }
  for (const int token : tokens) {
    require_token(token, config.target_vocabulary_size);
  }
  if (!tokens.empty()) {
    read(tokens);
  }
}

std::size_t Continuation::room() const {
  return static_cast<std::size_t>(model_->config().max_target_positions) - history_.size();
}

void Continuation::read(std::span<const int> tokens) {
  std::vector<DecoderRow> rows;
  const std::size_t begin = history_.size();
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    history_.push_back(static_cast<std::int32_t>(begin + i));
  }
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    rows.push_back({.token = tokens[i],
                    .position = static_cast<int>(begin + i),
                    .history = std::span(history_).first(begin + i + 1)});
  }
  features_ = model_->decode(state_, rows).bottomRows(1);
}

std::vector<float> Continuation::log_probabilities() const {
  return log_probabilities(1.0);
}

std::vector<float> Continuation::log_probabilities(double temperature) const {
  std::vector<float> all(static_cast<std::size_t>(model_->config().target_vocabulary_size));
  Eigen::Map<Matrix> row(all.data(), 1, static_cast<Eigen::Index>(all.size()));
  const Matrix features = features_ * static_cast<float>(1.0 / temperature);
  model_->logits(features, row);
  const float normalizer = kernels::log_sum_exp(all);
  for (float& value : all) {
    value -= normalizer;
  }
  return all;
}

std::vector<ScoredToken> Continuation::best(std::size_t count) const {
  NextTokens next(*model_, count);
  const std::vector<int> forbidden = {Vocabulary::kPad};
  next.find(features_, {&forbidden, 1});
  const std::span<const ScoredToken> found = next.best(0);
  std::vector<ScoredToken> tokens(found.begin(), found.end());
  for (ScoredToken& token : tokens) {
    token.logit -= next.normalizer(0);
  }
  return tokens;
}

}  // namespace ltz
