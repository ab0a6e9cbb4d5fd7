#pragma once

#include <vector>

#include "model/base/progress.h"
#include "model/decoding/batching.h"
#include "model/decoding/beam_search.h"
#include "model/decoding/scoring.h"
#include "model/layers/transformer.h"

namespace ltz {

// Translates any number of sentences, or for a language model goes on from prompts without </s>, in
// batches that run in parallel on OpenMP's threads. The result is in the order of the input and
// does not depend on the threads. An empty sentence has one translation, an empty one. progress: of
// sentences.
std::vector<std::vector<Hypothesis>> translate(const Transformer& model,
                                               const std::vector<TokenIds>& sources,
                                               const BeamOptions& options, const Batching& batching,
                                               const Progress& progress = {});

// Negative log-likelihood of whole texts, in the same way. Throws ConfigError when the numbers of
// sentences differ.
TokenLoss score_text(const Transformer& model, const std::vector<TokenIds>& sources,
                     const std::vector<TokenIds>& targets, const Batching& batching);

}  // namespace ltz
