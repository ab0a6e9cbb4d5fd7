#pragma once

#include <functional>
#include <string>

#include "cli/pipeline/compress_state.h"
#include "cli/reports/report.h"
#include "compress/recipes/retraining.h"
#include "compress/recipes/tunable.h"

namespace ltz::cli {

// See compress::compress_and_retrain.
using RetrainedCompression = std::function<Checkpoint(const compress::RetrainingSteps& steps)>;

// Everything that is known before the first file is made. All references outlive the job.
struct CompressJob {
  const Original& original;
  const compress::Recipe& recipe;
  const compress::TunableCompressor& compressor;
  std::string method;           // what a file depends on beside model, texts and strength
  double close_enough;          // relative: a file that much below what is wanted will do
  const ReportOptions& report;  // with the limits to aim at
  std::string output;           // empty: only the plan
  // For a recipe with finetune, and the text for it.
  RetrainedCompression retrain = {};
  eval::ParallelText training = {};
};

// Says what the plan is; then compresses until sizes, or else quality, are as wanted, writes the
// artifact and reports on it. With retraining only sizes are aimed at: what quality will be is not
// known before it. Returns the exit code. What the state has is not done again. Throws
// ConfigError when the recipe's own target is out of reach.
int compress_and_report(const CompressJob& job, CompressState& state);

}  // namespace ltz::cli
