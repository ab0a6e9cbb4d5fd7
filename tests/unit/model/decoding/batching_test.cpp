#include "model/decoding/batching.h"

#include <catch2/catch.hpp>
#include <set>

namespace ltz {
namespace {

std::vector<TokenIds> of_lengths(const std::vector<std::size_t>& lengths) {
  std::vector<TokenIds> sentences;
  for (const std::size_t length : lengths) {
    sentences.emplace_back(length, Vocabulary::kUnk);
  }
  return sentences;
}

using Batches = std::vector<std::vector<std::size_t>>;

}  // namespace

TEST_CASE("every sentence is in one batch, also one that is longer than a batch") {
  std::vector<std::size_t> lengths = {1, 5000, 3};
  lengths.resize(300, 7);
  const Batching batching = batch_by_length(of_lengths(lengths));
  CHECK_FALSE(batching.padded);
  CHECK(batching.batches.front() == std::vector<std::size_t>{1});
  std::multiset<std::size_t> seen;
  for (const auto& batch : batching.batches) {
    CHECK(!batch.empty());
    seen.insert(batch.begin(), batch.end());
  }
  CHECK(seen.size() == lengths.size());
  CHECK(std::set(seen.begin(), seen.end()).size() == lengths.size());
  CHECK(batch_by_length({}).batches.empty());
}

TEST_CASE("fairseq orders by source and then target length and counts padded tokens") {
  const auto sources = of_lengths({4, 2, 4, 3});
  const auto targets = of_lengths({5, 2, 1, 3});
  // By length: 1, 3, 2, 0. Padded tokens: 2, then 2 x 3; with the next one, 3 x 4, it is too much.
  const Batching batching = batch_like_fairseq(sources, targets, 10);
  CHECK(batching.padded);
  CHECK(batching.batches == Batches{{1, 3}, {2, 0}});
  CHECK(batch_like_fairseq(sources, targets, 1).batches.size() == 4);
}

}  // namespace ltz
