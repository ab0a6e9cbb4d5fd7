#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "model/decoding/continuation.h"
#include "model/decoding/text_codec.h"

namespace ltz {

struct NextWord {
  std::string text;  // "</s>" where the text may end
  TokenIds tokens;
  double log_probability = 0.0;  // of all tokens, and that the word ends behind them
};

struct NextWordOptions {
  std::size_t count = 5;       // at least 1
  std::string_view beginning;  // what the words begin with; of special tokens none does
  // Beginnings of words whose next subword is looked for, the likeliest ones. Each costs as much
  // as reading a token.
  int most_beginnings = 32;
};

// The likeliest next words behind a text that ends between two words, best first; <pad> is none of
// them. Where tokens are words, one look at the distribution finds them. Those of byte-pair
// encoding and of SentencePiece models, whose words begin with U+2581, are put together from their
// tokens, as long as a beginning is likelier than the words found.
std::vector<NextWord> next_words(const Continuation& text, const TextCodec& codec,
                                 const NextWordOptions& options);

}  // namespace ltz
