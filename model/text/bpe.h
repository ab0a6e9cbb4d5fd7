#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace ltz {

// The merges of a subword-nmt code file (version 0.2), best first; a symbol that ends a word ends
// in "</w>".
using BpeMerges = std::vector<std::pair<std::string, std::string>>;

// Byte-pair encoding of Sennrich et al. 2016 as subword-nmt applies it. Without merges every word
// stays whole: the text is then taken as segmented already.
class BpeEncoder {
 public:
  BpeEncoder() = default;
  explicit BpeEncoder(const BpeMerges& merges);

  // Appends the subwords of one word to `out`, all but the last with the marker "@@".
  void encode(std::string_view word, std::vector<std::string>& out) const;

 private:
  std::unordered_map<std::string, std::uint32_t> ranks_;  // "left right" -> position in the file
};

// Words of a line, split at white space.
std::vector<std::string_view> split_words(std::string_view line);

// Joins subwords to words: the inverse of BpeEncoder on a whole line.
std::string remove_bpe(const std::vector<std::string_view>& subwords);

}  // namespace ltz
