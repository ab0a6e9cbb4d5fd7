#pragma once

#include <functional>

#include "compress/recipes/size_search.h"

// Finding how strongly to compress for a quality.
namespace ltz::compress {

struct QualityTrial {
  double strength = 0.0;
  double bytes = 0.0;  // of the file
  double loss = 0.0;   // of quality against the original, as a drop of BLEU
};

struct QualitySearchOptions {
  double most_loss = 0.0;  // accepted
  double start = 0.0;      // in the range
  StrengthRange range;
  double first_step = 0.7;  // of strength; doubled until loss and gain are on both sides
  double tolerance = 0.02;  // relative, of bytes: no need to look closer
  int most_trials = 6;
};

// Looks for the smallest file whose loss is accepted: steps from the start until one trial is
// accepted and one is not, then halves what lies between them. measure: should lose more and need
// fewer bytes as the strength rises; called once for each strength. Returns the smallest trial that
// is accepted, also where noise makes the loss go up and down; where none is, the one of the least
// loss.
QualityTrial quality_search(const std::function<QualityTrial(double strength)>& measure,
                            const QualitySearchOptions& options);

}  // namespace ltz::compress
