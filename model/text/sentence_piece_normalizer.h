#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "model/text/sentence_piece_index.h"
#include "model/text/sentence_piece_model.h"

namespace ltz {

// Bytes of the character that the text begins with, by its first byte alone; those that are there.
std::size_t character_length(std::string_view text);

// Makes of a text what the pieces of a SentencePiece model are made of.
class SentencePieceNormalizer {
 public:
  // Refers to the model, which must outlive it.
  explicit SentencePieceNormalizer(const SentencePieceModel& model);

  // The text with its characters replaced by the model's rules, what is no UTF-8 by U+FFFD, and
  // spaces by U+2581; the model says where spaces are added and left out.
  std::string normalize(std::string_view text) const;

  // Bytes of the longest user-defined symbol that the text begins with; 0: it begins with none.
  std::size_t user_defined_length(std::string_view text) const;

 private:
  // What the front of the text becomes, and how many bytes of it that is.
  std::pair<std::string_view, std::size_t> replacement(std::string_view text) const;
  // The longest rule: how many bytes it is for, and where its replacement begins. 0 bytes: none.
  std::pair<std::size_t, std::size_t> longest_rule(std::string_view text) const;

  const SentencePieceModel& model_;
  SentencePieceIndex user_defined_;
};

}  // namespace ltz
