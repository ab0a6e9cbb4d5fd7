#pragma once

#include <vector>

#include "model/layers/transformer.h"

namespace ltz {

// Which sentences are computed together.
struct Batching {
  std::vector<std::vector<std::size_t>> batches;  // indices of sentences
  bool padded = false;                            // imitate padding to each batch's longest source
};

// Sentences of similar length side by side, the longest first so that no thread is left with a long
// batch at the end. What is in a batch changes nothing but the speed.
Batching batch_by_length(const std::vector<TokenIds>& sentences);

// The padded batches of fairseq's generator and validation: ordered by source length and then by
// target length, as many sentences as have max_tokens together when padded. They are what it takes
// to get the reference's figures to the last digit (see Transformer::encode).
// sources, targets: as many, with their </s>.
Batching batch_like_fairseq(const std::vector<TokenIds>& sources,
                            const std::vector<TokenIds>& targets, std::size_t max_tokens);

// The sentences of one batch.
std::vector<TokenIds> gather(const std::vector<TokenIds>& sentences,
                             const std::vector<std::size_t>& batch);

}  // namespace ltz
