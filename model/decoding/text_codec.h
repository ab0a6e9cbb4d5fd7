#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/checkpoint/checkpoint.h"
#include "model/text/bpe.h"
#include "model/text/vocabulary.h"

namespace ltz {

class SentencePieceEncoder;

// Text <-> ids for one model: splits at white space, applies byte-pair encoding or a SentencePiece
// model, and back.
class TextCodec {
 public:
  explicit TextCodec(const Checkpoint& checkpoint);

  // With the final </s>, but that a language model has empty sources; a target also with the <s>
  // that add_bos_token asks for.
  TokenIds encode_source(std::string_view line) const;
  TokenIds encode_target(std::string_view line) const;
  // The same without </s>, nor the <s> that the targets of some language models begin with.
  TokenIds encode_prompt(std::string_view line) const;
  // Of each line.
  std::vector<TokenIds> encode_sources(std::span<const std::string> lines) const;
  std::vector<TokenIds> encode_targets(std::span<const std::string> lines) const;
  // Words again: without <s> and </s>, the segmentation removed.
  std::string decode_target(const TokenIds& ids) const;

  // The entry of the target vocabulary. token: in it.
  std::string_view word(int token) const { return target_.word(token); }
  // A token of the target vocabulary as a part of words.
  struct Part {
    std::string_view text;  // that it adds to a word
    bool begins;            // a word may begin with it
    bool ends;              // no other token of the same word follows
  };
  Part part(int token) const;
  // Whether a word ends where the next one begins, and only there.
  bool marks_beginnings() const { return pieces_ != nullptr; }

 private:
  TokenIds encode(std::string_view line, const Vocabulary& vocabulary) const;

  BpeEncoder bpe_;
  std::shared_ptr<const SentencePieceEncoder> pieces_;  // instead, or none
  Vocabulary source_;
  Vocabulary target_;
  bool language_model_;
  bool bos_;  // in front of targets
};

}  // namespace ltz
