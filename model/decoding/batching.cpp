#include "model/decoding/batching.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <utility>

namespace ltz {
namespace {

// Enough rows for fast products, few enough that their activations stay in the cache.
constexpr std::size_t kBatchTokens = 1024;
constexpr std::size_t kBatchSentences = 64;

std::vector<std::size_t> indices(std::size_t count) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  return order;
}

}  // namespace

Batching batch_by_length(const std::vector<TokenIds>& sentences) {
  const auto length = [&](std::size_t i) { return sentences[i].size(); };
  std::vector<std::size_t> order = indices(sentences.size());
  std::ranges::stable_sort(order, std::greater(), length);
  Batching batching;
  std::size_t tokens = 0;
  for (const std::size_t i : order) {
    if (batching.batches.empty() || batching.batches.back().size() == kBatchSentences ||
        tokens + length(i) > kBatchTokens) {
      batching.batches.emplace_back();
      tokens = 0;
    }
    batching.batches.back().push_back(i);
    tokens += length(i);
  }
  return batching;
}

Batching batch_like_fairseq(const std::vector<TokenIds>& sources,
                            const std::vector<TokenIds>& targets, std::size_t max_tokens) {
  std::vector<std::size_t> order = indices(sources.size());
  std::ranges::stable_sort(order, std::less(), [&](std::size_t i) {
    return std::pair(sources[i].size(), targets[i].size());
  });
  Batching batching{.batches = {}, .padded = true};
  std::size_t longest = 0;
  for (const std::size_t i : order) {
    const std::size_t length = std::max(sources[i].size(), targets[i].size());
    longest = std::max(longest, length);
    if (batching.batches.empty() || (batching.batches.back().size() + 1) * longest > max_tokens) {
      batching.batches.emplace_back();
      longest = length;
    }
    batching.batches.back().push_back(i);
  }
  return batching;
}

std::vector<TokenIds> gather(const std::vector<TokenIds>& sentences,
                             const std::vector<std::size_t>& batch) {
  std::vector<TokenIds> gathered;
  gathered.reserve(batch.size());
  for (const std::size_t i : batch) {
    gathered.push_back(sentences[i]);
  }
  return gathered;
}

}  // namespace ltz
