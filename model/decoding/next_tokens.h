#pragma once

#include <span>
#include <vector>

#include "model/decoding/vocabulary_scan.h"

namespace ltz {

struct ScoredToken {
  float logit;
  int token;
};

// The likeliest next tokens of each row of a decoder, found in the same pass over
// the vocabulary as the normaliser that makes log probabilities of their logits.
class NextTokens {
 public:
  // best: tokens wanted of each row.
  NextTokens(const Transformer& model, std::size_t best) : model_(model), count_(best) {}

  // features: (n, channels), see Transformer::decode. forbidden: for each row, tokens that it may
  // not go on with; they keep their share of the normaliser.
  void find(MatrixView features, std::span<const std::vector<int>> forbidden);

  // log(sum(exp(logits))) of a row.
  float normalizer(std::size_t row) const { return normalizers_[row]; }
  // Logit of </s>, forbidden or not.
  float end(std::size_t row) const { return ends_[row]; }
  // Best first, of equals the smaller token; none that is forbidden or impossible.
  std::span<const ScoredToken> best(std::size_t row) const { return best_[row]; }

 private:
  void visit(const LogitBlock& block, std::span<const int> forbidden);
  void insert(const ScoredToken& token, std::vector<ScoredToken>& best) const;

  const Transformer& model_;
  std::size_t count_;
  std::vector<float> normalizers_;
  std::vector<float> ends_;
  std::vector<std::vector<ScoredToken>> best_;  // (shards, rows); at last, all is in the first rows
};

}  // namespace ltz
