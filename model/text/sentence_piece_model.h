#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ltz {

// What a SentencePiece model file (Kudo and Richardson 2018; the message ModelProto of its
// sentencepiece_model.proto) says about segmenting text.
struct SentencePieceModel {
  enum class Algorithm { kUnigram, kBpe };
  enum class Type { kNormal = 1, kUnknown, kControl, kUserDefined, kUnused, kByte };

  struct Piece {
    std::string text;
    float score = 0.0f;
    Type type = Type::kNormal;
  };

  std::vector<Piece> pieces;
  Algorithm algorithm = Algorithm::kUnigram;
  bool space_behind_words = false;  // or in front of them
  bool byte_fallback = false;       // unknown characters are pieces for their bytes
  bool add_space = true;            // in front of a text, or behind it
  bool remove_extra_spaces = true;
  bool escape_spaces = true;  // as U+2581
  // Rules of normalisation: a trie of what is replaced as a double array, and the replacements,
  // each ended by a NUL. Both may be empty.
  std::vector<std::uint32_t> trie;
  std::string replacements;
};

// Throws FormatError for bytes that are no such message, and for a model that segments in another
// way (by words or characters).
SentencePieceModel parse_sentence_piece_model(std::string_view bytes);

}  // namespace ltz
