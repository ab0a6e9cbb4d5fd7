#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "model/text/white_space.h"

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

  // Appends the subwords of one word to `out`, all but the last with the marker "@@". In time
  // n log n of its length.
  void encode(std::string_view word, std::vector<std::string>& out) const;

  // The tokens of a line as fairseq-interactive gets them from subword-nmt or fastBPE: words end at
  // spaces, other white space is a character of a word, and then the segmented line is split at all
  // white space. So "a", a no-break space and "b" in one word become "a@@", "@@" and "b". Without
  // merges: the unicode_words.
  std::vector<std::string> encode_line(std::string_view line) const;

 private:
  using Symbol = std::int32_t;
  struct Merge {
    std::uint32_t rank;  // its place among the merges
    Symbol result;
  };
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  class Word;

  Symbol intern(std::string_view text);
  // -1 for what no merge knows.
  Symbol symbol(std::string_view text) const;
  const Merge* find(Symbol left, Symbol right) const;

  std::unordered_map<std::string, Symbol, Hash, std::equal_to<>> symbols_;
  std::unordered_map<std::uint64_t, Merge> merges_;  // by both symbols
};

// The words of tokens, as fairseq joins them: with spaces between, then without any "@@ ", nor
// white space at the end.
std::string remove_bpe(const std::vector<std::string_view>& subwords);

}  // namespace ltz
