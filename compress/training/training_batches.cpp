#include "compress/training/training_batches.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <random>
#include <utility>

namespace ltz::compress {

std::vector<std::vector<std::size_t>> training_batches(const EncodedText& text, std::size_t tokens,
                                                       std::uint64_t seed, std::int64_t epoch) {
  std::vector<std::size_t> order(text.target.size());
  std::iota(order.begin(), order.end(), 0);
  // Fisher and Yates; how std::shuffle does it depends on the library.
  std::mt19937_64 random(seed + 0x9e3779b97f4a7c15u * static_cast<std::uint64_t>(epoch));
  for (std::size_t i = order.size(); i > 1; --i) {
    std::swap(order[i - 1], order[random() % i]);
  }
  std::vector<std::vector<std::size_t>> batches;
  std::size_t used = tokens;
  for (const std::size_t sentence : order) {
    const std::size_t length = text.target[sentence].size();
    if (batches.empty() || used + length > tokens) {
      batches.emplace_back();
      used = 0;
    }
    batches.back().push_back(sentence);
    used += length;
  }
  return batches;
}

std::array<std::vector<std::size_t>, kShards> shards_of(const EncodedText& text,
                                                        std::vector<std::size_t> batch) {
  const auto length = [&](std::size_t sentence) {
    return text.source[sentence].size() + text.target[sentence].size();
  };
  std::ranges::stable_sort(batch, std::greater(), length);
  std::array<std::vector<std::size_t>, kShards> shards;
  std::array<std::size_t, kShards> tokens{};
  for (const std::size_t sentence : batch) {
    const auto least = static_cast<std::size_t>(std::ranges::min_element(tokens) - tokens.begin());
    shards[least].push_back(sentence);
    tokens[least] += length(sentence);
  }
  return shards;
}

}  // namespace ltz::compress
