#include "model/decoding/next_tokens.h"

#include <algorithm>

namespace ltz {
namespace {

constexpr float kImpossible = -std::numeric_limits<float>::infinity();

bool better(const ScoredToken& a, const ScoredToken& b) {
  return a.logit > b.logit || (a.logit == b.logit && a.token < b.token);
}

}  // namespace

void NextTokens::find(MatrixView features, std::span<const std::vector<int>> forbidden) {
  const auto rows = static_cast<std::size_t>(features.rows());
  const std::size_t shards = vocabulary_shards(model_);
  ends_.resize(rows);
  best_.resize(std::max(best_.size(), rows * shards));
  for (std::vector<ScoredToken>& best : best_) {
    best.clear();
  }
  normalizers_ = scan_vocabulary(model_, features, [&](const LogitBlock& block) {
    visit(block, forbidden[static_cast<std::size_t>(block.row)]);
  });
  for (std::size_t i = rows; i < rows * shards; ++i) {
    for (const ScoredToken& token : best_[i]) {
      insert(token, best_[i % rows]);
    }
  }
}

void NextTokens::visit(const LogitBlock& block, std::span<const int> forbidden) {
  const auto row = static_cast<std::size_t>(block.row);
  if (block.first == 0) {
    ends_[row] = block.logits[Vocabulary::kEos];
  }
  for (const int token : forbidden) {
    if (token >= block.first && token < block.first + LogitBlock::kTokens) {
      block.logits[static_cast<std::size_t>(token - block.first)] = kImpossible;
    }
  }
  std::vector<ScoredToken>& best = best_[block.shard * ends_.size() + row];
  // Nothing less can be among the best: as many lanes as are wanted have something better.
  float least = kImpossible;
  if (best.empty() && count_ <= block.maxima.size() && forbidden.empty()) {
    least = std::ranges::min(block.maxima);
  }
  const auto hopeless = [&](float logit) {
    return logit < (best.size() == count_ ? best.back().logit : least);
  };
  if (hopeless(block.largest)) {
    return;
  }
  for (std::size_t lane = 0; lane < block.maxima.size(); ++lane) {
    if (hopeless(block.maxima[lane])) {
      continue;
    }
    for (std::size_t i = lane; i < block.logits.size(); i += kernels::kLanes) {
      if (!hopeless(block.logits[i])) {
        insert({block.logits[i], block.first + static_cast<int>(i)}, best);
      }
    }
  }
}

void NextTokens::insert(const ScoredToken& token, std::vector<ScoredToken>& best) const {
  const bool full = best.size() == count_;
  if (token.logit == kImpossible || (full && !better(token, best.back()))) {
    return;
  }
  if (full) {
    best.pop_back();
  }
  best.insert(std::ranges::upper_bound(best, token, better), token);
}

}  // namespace ltz
