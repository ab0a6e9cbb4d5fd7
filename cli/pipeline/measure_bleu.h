#pragma once

#include <nlohmann/json_fwd.hpp>
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
// Mean NLL of the references, nats per token, teacher-forced.
double measure_nll(const Checkpoint& checkpoint, const eval::ParallelText& text,
                   const eval::EvaluationOptions& options);

double bleu_of(const std::vector<eval::BleuStatistics>& sentences,
               const eval::EvaluationOptions& options);

// Everything that BLEU depends on beside model and text, this version of ltz included.
std::string signature(const eval::EvaluationOptions& options);

// Sentences' statistics in the files that keep what was measured: of each a list of matches,
// totals, length of hypothesis and reference.
nlohmann::ordered_json bleu_json(const std::vector<eval::BleuStatistics>& sentences);
// Throws nlohmann::json::exception for anything else.
std::vector<eval::BleuStatistics> bleu_from_json(const nlohmann::ordered_json& json);

}  // namespace ltz::pipeline
