#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace ltz {

// Token ids of one sentence; a source sentence ends with </s>.
using TokenIds = std::vector<int>;

// fairseq's Dictionary: four special tokens, then the words of dict.txt in its order.
class Vocabulary {
 public:
  static constexpr int kBos = 0;
  static constexpr int kPad = 1;
  static constexpr int kEos = 2;
  static constexpr int kUnk = 3;
  static constexpr int kSpecials = 4;

  Vocabulary() = default;
  // words: without the special tokens; they may be empty, have spaces and come twice, as in fairseq
  // 0.8. Throws FormatError, naming the word, for one with a line end.
  explicit Vocabulary(std::vector<std::string> words);

  bool operator==(const Vocabulary& other) const { return words_ == other.words_; }

  // Number of ids, special tokens included.
  int size() const { return kSpecials + static_cast<int>(words_.size()); }
  // The word's id, the last one if it comes twice, or kUnk. Special tokens written as words
  // ("<pad>") have their ids, unless the words have them again.
  int id(std::string_view word) const;
  // id: in [0, size()).
  std::string_view word(int id) const;
  // Without the special tokens.
  const std::vector<std::string>& words() const { return words_; }

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  std::vector<std::string> words_;
  std::unordered_map<std::string, int, Hash, std::equal_to<>> ids_;
};

}  // namespace ltz
