#include "model/decoding/scoring.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "model/decoding/vocabulary_scan.h"
#include "model/layers/adaptive_softmax.h"

namespace ltz {

bool is_counted(const ModelConfig& config, int token) {
  return !config.add_bos_token || token != Vocabulary::kBos;
}

TokenLoss total(std::span<const TokenLoss> losses) {
  TokenLoss sum;
  for (const TokenLoss& loss : losses) {
    sum.nats += loss.nats;
    sum.tokens += loss.tokens;
  }
  return sum;
}

Matrix teacher_forced_features(const Transformer& model, std::span<const TokenIds> sources,
                               std::span<const TokenIds> targets, int padded_length) {
  Reading reading = model.start_reading(sources, targets, padded_length);
  while (reading.sublayers < number_of_sublayers(model.config())) {
    model.read_on(reading);
  }
  return std::move(reading.target);
}

TokenLoss negative_log_likelihood(const Transformer& model, std::span<const TokenIds> sources,
                                  std::span<const TokenIds> targets, int padded_length) {
  return negative_log_likelihood(
      model, teacher_forced_features(model, sources, targets, padded_length), targets);
}

std::vector<float> log_probabilities(const Transformer& model, MatrixView features,
                                     std::span<const int> tokens) {
  if (const AdaptiveSoftmax* softmax = model.adaptive_softmax()) {
    return softmax->log_probabilities(features, tokens);
  }
  std::vector<float> found(tokens.size());  // logits, at first
  const std::vector<float> normalizers =
      scan_vocabulary(model, features, [&](const LogitBlock& block) {
        const auto row = static_cast<std::size_t>(block.row);
        const int place = tokens[row] - block.first;
        if (place >= 0 && place < LogitBlock::kTokens) {
          found[row] = block.logits[static_cast<std::size_t>(place)];
        }
      });
  std::ranges::transform(found, normalizers, found.begin(), std::minus());
  return found;
}

TokenLoss negative_log_likelihood(const Transformer& model, MatrixView features,
                                  std::span<const TokenIds> targets) {
  TokenIds wanted;
  for (const TokenIds& target : targets) {
    wanted.insert(wanted.end(), target.begin(), target.end());
  }
  const std::vector<float> found = log_probabilities(model, features, wanted);
  TokenLoss loss;
  for (std::size_t row = 0; row < wanted.size(); ++row) {
    if (is_counted(model.config(), wanted[row])) {
      loss.nats -= found[row];
      ++loss.tokens;
    }
  }
  return loss;
}

}  // namespace ltz
