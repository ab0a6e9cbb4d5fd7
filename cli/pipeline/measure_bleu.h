#pragma once

#include <string>
#include <vector>

#include "cli/pipeline/events.h"
#include "eval/quality/evaluate.h"
#include "model/checkpoint/checkpoint.h"

namespace ltz::pipeline {

// Statistics of the BLEU of each sentence that the model translates, in the arithmetic of the
// options. Throws ConfigError for texts of different or no length.
std::vector<eval::BleuStatistics> measure_bleu(const Checkpoint& checkpoint,
                                               const eval::ParallelText& text,
                                               const eval::EvaluationOptions& options,
                                               const Progress& progress);

// BLEU of the whole text, in percent.
double bleu_of(const std::vector<eval::BleuStatistics>& sentences,
               const eval::EvaluationOptions& options);

// Everything that BLEU depends on beside model and text, this version of ltz included.
std::string signature(const eval::EvaluationOptions& options);

}  // namespace ltz::pipeline
