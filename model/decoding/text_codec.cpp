#include "model/decoding/text_codec.h"

#include "model/text/sentence_pieces.h"

namespace ltz {

TextCodec::TextCodec(const Checkpoint& checkpoint)
    : bpe_(checkpoint.merges),
      source_(checkpoint.source_vocabulary),
      target_(checkpoint.target_vocabulary),
      language_model_(is_language_model(checkpoint.config)),
      bos_(checkpoint.config.add_bos_token) {
  if (!checkpoint.sentencepiece.empty()) {
    pieces_ = std::make_shared<const SentencePieceEncoder>(
        parse_sentence_piece_model(checkpoint.sentencepiece));
  }
}

TokenIds TextCodec::encode(std::string_view line, const Vocabulary& vocabulary) const {
  const std::vector<std::string> subwords =
      pieces_ ? pieces_->encode_line(line) : bpe_.encode_line(line);
  TokenIds ids;
  ids.reserve(subwords.size() + 1);
  for (const std::string& subword : subwords) {
    ids.push_back(vocabulary.id(subword));
  }
  ids.push_back(Vocabulary::kEos);
  return ids;
}

TokenIds TextCodec::encode_source(std::string_view line) const {
  if (language_model_) {
    return {};
  }
  return encode(line, source_);
}

TokenIds TextCodec::encode_target(std::string_view line) const {
  TokenIds ids = encode(line, target_);
  if (bos_) {
    ids.insert(ids.begin(), Vocabulary::kBos);
  }
  return ids;
}

TokenIds TextCodec::encode_prompt(std::string_view line) const {
  TokenIds ids = encode(line, target_);
  ids.pop_back();
  return ids;
}

std::vector<TokenIds> TextCodec::encode_sources(std::span<const std::string> lines) const {
  std::vector<TokenIds> sentences;
  for (const std::string& line : lines) {
    sentences.push_back(encode_source(line));
  }
  return sentences;
}

std::vector<TokenIds> TextCodec::encode_targets(std::span<const std::string> lines) const {
  std::vector<TokenIds> sentences;
  for (const std::string& line : lines) {
    sentences.push_back(encode_target(line));
  }
  return sentences;
}

std::string TextCodec::decode_target(const TokenIds& ids) const {
  std::vector<std::string_view> subwords;
  for (const int id : ids) {
    if (id != Vocabulary::kEos && !(bos_ && id == Vocabulary::kBos)) {
      subwords.push_back(target_.word(id));
    }
  }
  return pieces_ ? join_sentence_pieces(subwords) : remove_bpe(subwords);
}

TextCodec::Part TextCodec::part(int token) const {
  constexpr std::string_view kContinued = "@@";
  constexpr std::string_view kSpace = "\u2581";
  std::string_view text = target_.word(token);
  if (token < Vocabulary::kSpecials) {
    return {text, true, true};
  }
  if (pieces_) {
    const bool begins = text.starts_with(kSpace);
    return {begins ? text.substr(kSpace.size()) : text, begins, false};
  }
  const bool ends = !text.ends_with(kContinued);
  return {ends ? text : text.substr(0, text.size() - kContinued.size()), true, ends};
}

}  // namespace ltz
