#pragma once

#include <vector>

#include "model/text/vocabulary.h"

namespace ltz {

// Sentences and their translations as ids, each with its </s>. A translation may be the model's
// own; what needs as many translations as sentences says so.
struct EncodedText {
  std::vector<TokenIds> source;
  std::vector<TokenIds> target;
};

}  // namespace ltz
