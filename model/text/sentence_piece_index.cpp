#include "model/text/sentence_piece_index.h"

#include <algorithm>
#include <span>

namespace ltz {

SentencePieceIndex::SentencePieceIndex(const std::vector<SentencePieceModel::Piece>& pieces,
                                       std::initializer_list<SentencePieceModel::Type> types) {
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (std::ranges::find(types, pieces[i].type) != types.end()) {
      entries_.push_back({pieces[i].text, i});
    }
  }
  std::ranges::sort(entries_, {}, &Entry::text);
}

std::size_t SentencePieceIndex::find(std::string_view piece) const {
  const auto found = std::ranges::lower_bound(entries_, piece, {}, &Entry::text);
  return found == entries_.end() || found->text != piece ? kNone : found->place;
}

void SentencePieceIndex::for_each_beginning(std::string_view text, const Use& use) const {
  std::span<const Entry> rest = entries_;  // those that begin as the text does
  for (std::size_t length = 1; length <= text.size() && !rest.empty(); ++length) {
    const auto last_byte = [length](const Entry& entry) {
      return entry.text.size() < length ? -1 : static_cast<unsigned char>(entry.text[length - 1]);
    };
    rest =
        std::ranges::equal_range(rest, static_cast<unsigned char>(text[length - 1]), {}, last_byte);
    if (!rest.empty() && rest.front().text.size() == length) {
      use(length, rest.front().place);
    }
  }
}

}  // namespace ltz
