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
  // words: without the special tokens. Throws FormatError, naming the word, for an empty one, one
  // with white space, and one that appears twice.
  explicit Vocabulary(std::vector<std::string> words);

  bool operator==(const Vocabulary& other) const { return words_ == other.words_; }

  // Number of ids, special tokens included.
  int size() const { return kSpecials + static_cast<int>(words_.size()); }
  // The word's id, or kUnk. Special tokens written as words ("<pad>") have their ids.
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
