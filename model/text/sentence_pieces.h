#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/text/sentence_piece_index.h"
#include "model/text/sentence_piece_model.h"
#include "model/text/sentence_piece_normalizer.h"

namespace ltz {

// Cuts text into the pieces of a SentencePiece model, as its library 0.1.97 does without sampling.
class SentencePieceEncoder {
 public:
  explicit SentencePieceEncoder(SentencePieceModel model);
  SentencePieceEncoder(const SentencePieceEncoder&) = delete;  // refers to its own pieces
  SentencePieceEncoder& operator=(const SentencePieceEncoder&) = delete;

  // The pieces of a text; what is unknown is a piece as it is, or one piece a byte.
  std::vector<std::string> encode(std::string_view text) const;
  // The tokens of a line as fairseq-interactive gets them: the pieces, split at white space.
  std::vector<std::string> encode_line(std::string_view line) const;

 private:
  // A piece of text, and its place in the model's pieces.
  using Part = std::pair<std::string_view, std::size_t>;

  std::vector<Part> best_path(std::string_view text) const;
  std::vector<Part> merged(std::string_view text) const;

  SentencePieceModel model_;
  SentencePieceNormalizer normalizer_;
  SentencePieceIndex index_;   // of pieces that text may consist of
  std::size_t unknown_ = 0;    // place
  float lowest_score_ = 0.0f;  // of normal pieces
};

// The text of pieces: as fairseq's --remove-bpe sentencepiece.
std::string join_sentence_pieces(const std::vector<std::string_view>& pieces);

}  // namespace ltz
