#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace ltz::eval {

using Words = std::vector<std::string_view>;

// How many n-grams of a sentence its references have, each counted at most as often as the
// reference has it that has it most often (clipping; Papineni et al. 2002, section 2.1).
// Returns one number for each order, from 1-grams to `orders`-grams.
std::vector<std::int64_t> clipped_matches(const Words& hypothesis,
                                          std::span<const Words> references, std::size_t orders);

// n-grams of a sentence of this many words: 0 for a sentence shorter than n.
inline std::int64_t ngram_count(std::size_t words, std::size_t n) {
  return words < n ? 0 : static_cast<std::int64_t>(words - n + 1);
}

}  // namespace ltz::eval
