#include "model/scoring.h"

#include <algorithm>
#include <numeric>

#include "model/error.h"
#include "model/kernels.h"

namespace ltz {
namespace {

// Rows of logits that are made at a time: enough for a fast product, small enough for the cache.
constexpr Eigen::Index kLogitRows = 128;

std::vector<std::int32_t> counting_up(std::int32_t count) {
  std::vector<std::int32_t> rows(static_cast<std::size_t>(count));
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

}  // namespace

Matrix teacher_forced_features(const Transformer& model, std::span<const TokenIds> sources,
                               std::span<const TokenIds> targets, int padded_length) {
  const EncodedBatch encoded = model.encode(sources, padded_length);
  DecoderState state = model.start_decoding(encoded);
  std::int32_t target_tokens = 0;
  for (const TokenIds& target : targets) {
    if (static_cast<int>(target.size()) > model.config().max_target_positions) {
      throw ConfigError("a target sentence has " + std::to_string(target.size()) +
                        " tokens, the model takes at most " +
                        std::to_string(model.config().max_target_positions));
    }
    target_tokens += static_cast<std::int32_t>(target.size());
  }
  const std::vector<std::int32_t> target_rows = counting_up(target_tokens);
  const std::vector<std::int32_t> source_rows = counting_up(encoded.starts.back());
  std::vector<DecoderRow> rows;
  std::size_t start = 0;
  for (std::size_t s = 0; s < targets.size(); ++s) {
    const auto source_start = static_cast<std::size_t>(encoded.starts[s]);
    const auto own_source = std::span(source_rows).subspan(source_start, sources[s].size());
    for (std::size_t i = 0; i < targets[s].size(); ++i) {
      rows.push_back({.token = i == 0 ? Vocabulary::kEos : targets[s][i - 1],
                      .position = static_cast<int>(i),
                      .history = std::span(target_rows).subspan(start, i + 1),
                      .source_rows = own_source});
    }
    start += targets[s].size();
  }
  return model.decode(state, rows);
}

TokenLoss negative_log_likelihood(const Transformer& model, std::span<const TokenIds> sources,
                                  std::span<const TokenIds> targets, int padded_length) {
  const Matrix features = teacher_forced_features(model, sources, targets, padded_length);
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
