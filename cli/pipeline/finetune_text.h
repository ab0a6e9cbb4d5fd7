#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "cli/options/options.h"
#include "compress/training/finetune.h"
#include "eval/quality/evaluate.h"

// Retraining, for `finetune`.
namespace ltz::cli {

// --epochs, --minutes, --learning-rate, --batch-tokens, --label-smoothing, --distillation,
// --select, --rate-weight, --code-bits, --train-seed
void add_training(CLI::App& command, compress::FinetuneOptions& options);

// Trains on the text, with progress on standard error, and returns the best model. original: the
// teacher, or null. development: may be without sentences; evaluation: how its BLEU is measured
// where that selects the best model. state: file to keep the training in and to go on from, or
// none.
Checkpoint run_finetune(const Checkpoint& start, const Checkpoint* original,
                        const eval::ParallelText& text, const eval::ParallelText& development,
                        const compress::FinetuneOptions& options, const std::string& state,
                        const eval::EvaluationOptions& evaluation = {});

}  // namespace ltz::cli
