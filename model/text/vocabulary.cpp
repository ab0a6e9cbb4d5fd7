#include "model/text/vocabulary.h"

#include <array>
#include <utility>

#include "model/base/error.h"

namespace ltz {
namespace {

constexpr std::array<std::string_view, Vocabulary::kSpecials> kSpecialWords = {"<s>", "<pad>",
                                                                               "</s>", "<unk>"};

}  // namespace

Vocabulary::Vocabulary(std::vector<std::string> words) : words_(std::move(words)) {
  ids_.reserve(words_.size() + kSpecialWords.size());
  for (int id = 0; id < kSpecials; ++id) {
    ids_.emplace(kSpecialWords[static_cast<std::size_t>(id)], id);
  }
  int id = kSpecials;
  for (const std::string& word : words_) {
    if (word.find_first_of("\r\n") != std::string::npos) {
      throw FormatError("the vocabulary has a word with a line end: \"" + word + "\"");
    }
    ids_.insert_or_assign(word, id++);
  }
}

int Vocabulary::id(std::string_view word) const {
  const auto found = ids_.find(word);
  return found == ids_.end() ? kUnk : found->second;
}

std::string_view Vocabulary::word(int id) const {
  return id < kSpecials ? kSpecialWords.at(static_cast<std::size_t>(id))
                        : std::string_view(words_.at(static_cast<std::size_t>(id - kSpecials)));
}

}  // namespace ltz
