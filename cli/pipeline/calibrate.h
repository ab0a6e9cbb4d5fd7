#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "cli/pipeline/compress_state.h"
#include "cli/pipeline/events.h"
#include "compress/recipes/calibrated.h"

// What a calibrated compression has to know of a model.
namespace ltz::pipeline {

struct CalibrateOptions {
  std::size_t sentences = 1000;   // to see the layers' inputs on
  std::size_t sensitivity = 150;  // of them, to measure sensitivity on
};

// These sentences with the model's own translations.
EncodedText self_translated(const Transformer& model, std::vector<TokenIds> sentences,
                            const Events& events = {});

// Translates `sentences` of the lines, evenly spread, with the model itself, and measures moments
// and sensitivities; without a text all tensors count the same. A language model reads the lines as
// they are, or without any as many sentences that it makes up. What the state has is not measured
// again, what is measured goes there. Throws FormatError where the state's translations cannot be
// of these sentences.
compress::Calibration calibrate(const Checkpoint& checkpoint, const std::vector<std::string>& lines,
                                const CalibrateOptions& options, CompressState& state,
                                const Events& events = {});

}  // namespace ltz::pipeline
