#pragma once

#include <cstddef>
#include <functional>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "model/text/sentence_piece_model.h"

namespace ltz {

// Pieces of a model by what they begin with.
class SentencePieceIndex {
 public:
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  // The pieces of these types. The index refers to their texts, which must outlive it.
  SentencePieceIndex(const std::vector<SentencePieceModel::Piece>& pieces,
                     std::initializer_list<SentencePieceModel::Type> types);

  // Its place in the model's pieces; kNone: it is not there.
  std::size_t find(std::string_view piece) const;

  // Takes the bytes of a piece that the text begins with, and its place in the model's pieces.
  using Use = std::function<void(std::size_t length, std::size_t place)>;
  // For all of them, the shortest first.
  void for_each_beginning(std::string_view text, const Use& use) const;

 private:
  struct Entry {
    std::string_view text;
    std::size_t place;
  };

  std::vector<Entry> entries_;  // sorted by text
};

}  // namespace ltz
