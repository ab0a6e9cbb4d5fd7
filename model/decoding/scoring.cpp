#include "model/decoding/scoring.h"

#include <algorithm>
#include <utility>

#include "model/decoding/vocabulary_scan.h"

namespace ltz {

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

TokenLoss negative_log_likelihood(const Transformer& model, MatrixView features,
                                  std::span<const TokenIds> targets) {
  TokenIds wanted;
  for (const TokenIds& target : targets) {
    wanted.insert(wanted.end(), target.begin(), target.end());
  }
  std::vector<float> logits(wanted.size());  // of the wanted tokens
  const std::vector<float> normalizers =
      scan_vocabulary(model, features, [&](const LogitBlock& block) {
        const auto row = static_cast<std::size_t>(block.row);
        const int place = wanted[row] - block.first;
        if (place >= 0 && place < LogitBlock::kTokens) {
          logits[row] = block.logits[static_cast<std::size_t>(place)];
        }
      });
  TokenLoss loss;
  for (std::size_t row = 0; row < logits.size(); ++row) {
    loss.nats += normalizers[row] - logits[row];
  }
  loss.tokens = features.rows();
  return loss;
}

}  // namespace ltz
