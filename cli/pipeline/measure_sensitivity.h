#pragma once

#include <string>

#include "cli/pipeline/events.h"
#include "compress/sensitivity/sensitivity.h"
#include "eval/quality/evaluate.h"
#include "model/checkpoint/checkpoint.h"
#include "model/decoding/beam_search.h"
#include "model/kernels/weight_matrix.h"

namespace ltz::pipeline {

struct SensitivityRun {
  compress::SensitivityOptions options;
  std::string metric = "nll";                    // or "bleu"
  BeamOptions beam;                              // for BLEU
  Arithmetic arithmetic = Arithmetic::kFloat32;  // of the measured model
  // Where the curves go, or nowhere if empty. Points are added to FILE.partial as they are
  // measured, which becomes FILE at the end; an interrupted run goes on from there.
  std::string file;
};

// FILE.partial, or nothing.
std::string partial_file(const SensitivityRun& run);

// Measures the curves on this text, or what is missing of them. Throws ConfigError when FILE or
// FILE.partial has been measured on another model, text or metric.
compress::SensitivityCurves measure_sensitivity(const Checkpoint& checkpoint,
                                                const eval::ParallelText& text,
                                                const SensitivityRun& run,
                                                const Events& events = {});

}  // namespace ltz::pipeline
