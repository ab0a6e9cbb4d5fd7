#include "model/scoring.h"

#include <algorithm>
#include <utility>

#include "model/kernels.h"

namespace ltz {
namespace {

// Rows of logits that are made at a time: enough for a fast product, small enough for the cache.
constexpr Eigen::Index kLogitRows = 128;

}  // namespace

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
  TokenLoss loss;
  for (Eigen::Index begin = 0; begin < features.rows(); begin += kLogitRows) {
    const Eigen::Index count = std::min(kLogitRows, features.rows() - begin);
    const Matrix logits = model.logits(features.middleRows(begin, count));
    for (Eigen::Index i = 0; i < count; ++i) {
      const std::span<const float> row(logits.row(i).data(),
                                       static_cast<std::size_t>(logits.cols()));
      const auto token = static_cast<std::size_t>(wanted[static_cast<std::size_t>(begin + i)]);
      loss.nats += kernels::log_sum_exp(row) - row[token];
    }
  }
  loss.tokens = features.rows();
  return loss;
}

}  // namespace ltz
