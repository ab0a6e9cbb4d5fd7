#pragma once

#include <functional>
#include <vector>

#include "model/decoding/batching.h"
#include "model/decoding/beam_search.h"
#include "model/decoding/scoring.h"
#include "model/layers/transformer.h"

namespace ltz {

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
