#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "model/batching.h"
#include "model/beam_search.h"
#include "model/bpe.h"
#include "model/scoring.h"
#include "model/transformer.h"

namespace ltz {

// Text <-> ids for one model: splits at white space, applies byte-pair encoding, and back.
class TextCodec {
 public:
  explicit TextCodec(const Checkpoint& checkpoint);

  // With the final </s>.
  TokenIds encode_source(std::string_view line) const;
  TokenIds encode_target(std::string_view line) const;
  // Words again: without </s>, byte-pair encoding removed.
  std::string decode_target(const TokenIds& ids) const;

 private:
  TokenIds encode(std::string_view line, const Vocabulary& vocabulary) const;

  BpeEncoder bpe_;
  Vocabulary source_;
  Vocabulary target_;
};

// Called from one thread at a time with the number of sentences done so far.
using SentenceProgress = std::function<void(std::size_t done, std::size_t total)>;

// Translates any number of sentences, in batches that run in parallel on OpenMP's threads. The
// result is in the order of the input and does not depend on the threads.
std::vector<std::vector<Hypothesis>> translate(const Transformer& model,
                                               const std::vector<TokenIds>& sources,
                                               const BeamOptions& options, const Batching& batching,
                                               const SentenceProgress& progress = {});

// Negative log-likelihood of whole texts, in the same way. Throws ConfigError when the numbers of
// sentences differ.
TokenLoss score_text(const Transformer& model, const std::vector<TokenIds>& sources,
                     const std::vector<TokenIds>& targets, const Batching& batching);

}  // namespace ltz
