#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

#include "model/text/sentence_piece_model.h"

namespace ltz::test {

// The file of a model that has no rules of normalisation.
inline std::string sentence_piece_bytes(const SentencePieceModel& model) {
  const auto varint = [](std::uint64_t value) {
    std::string out;
    for (; value >= 0x80; value >>= 7) {
      out += static_cast<char>(value | 0x80);
    }
    return out + static_cast<char>(value);
  };
  const auto field = [&](unsigned number, std::string_view bytes) {
    return varint(number << 3 | 2) + varint(bytes.size()) + std::string(bytes);
  };
  const auto setting = [&](unsigned number, std::uint64_t value) {
    return varint(number << 3) + varint(value);
  };
  std::string out;
  for (const SentencePieceModel::Piece& piece : model.pieces) {
    std::string score = varint(2 << 3 | 5);
    for (unsigned shift = 0; shift < 32; shift += 8) {
      score += static_cast<char>(std::bit_cast<std::uint32_t>(piece.score) >> shift & 0xFF);
    }
    out += field(1, field(1, piece.text) + score + setting(3, static_cast<unsigned>(piece.type)));
  }
  const bool unigrams = model.algorithm == SentencePieceModel::Algorithm::kUnigram;
  out += field(2, setting(3, unigrams ? 1 : 2) + setting(24, model.space_behind_words) +
                      setting(35, model.byte_fallback));
  return out + field(3, setting(3, model.add_space) + setting(4, model.remove_extra_spaces) +
                            setting(5, model.escape_spaces));
}

}  // namespace ltz::test
