#pragma once

#include <string>

#include "cli/pipeline/compress_state.h"
#include "cli/pipeline/events.h"
#include "eval/quality/evaluate.h"

// The text that retraining learns from.
namespace ltz::pipeline {

// The text with references: if it has none, what the model makes of it by greedy search, nothing
// for sentences that are too long for the model. What the state has is not translated again, what
// is translated goes there. Throws FormatError where the state has more than these sentences.
eval::ParallelText with_references(eval::ParallelText text, const Checkpoint& model,
                                   CompressState& state, const Events& events = {});

}  // namespace ltz::pipeline
