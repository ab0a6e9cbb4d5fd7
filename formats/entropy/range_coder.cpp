#include "formats/entropy/range_coder.h"

#include <string>

namespace ltz::formats {

// The last interval is at least 2^32 wide, so that one of its numbers ends in a word of zeros. That
// word is not written: the decoder finds it beyond the end.
std::vector<std::byte> RangeEncoder::finish() {
  constexpr std::uint64_t kWord = ~std::uint32_t{0};
  if (low_ + kWord < low_) {
    carry();
  }
  words_.push_back(static_cast<std::uint32_t>((low_ + kWord) >> 32));
  std::vector<std::byte> out;
  out.reserve(4 * words_.size());
  for (const std::uint32_t word : words_) {
    put_integer(out, word);
  }
  return out;
}

void RangeDecoder::finish(RangeDecoder decoder, const char* what) {
  decoder.normalise();
  const std::string stream(what);
  if (decoder.missing_ > 1) {
    throw FormatError(stream + ": truncated");
  }
  if (decoder.left_ != 0 || decoder.missing_ == 0) {
    throw FormatError(stream + ": " +
                      std::to_string(decoder.left_ + (decoder.missing_ == 0 ? 4 : 0)) +
                      " unexpected trailing bytes");
  }
  if (decoder.offset_ >= kLowest) {
    throw FormatError(stream + ": does not end where its encoder would have ended");
  }
}

}  // namespace ltz::formats
