#include "cli/pipeline/measure_bleu.h"

#include "cli/pipeline/version.h"

namespace ltz::pipeline {

std::vector<eval::BleuStatistics> measure_bleu(const Checkpoint& checkpoint,
                                               const eval::ParallelText& text,
                                               const eval::EvaluationOptions& options,
                                               const Progress& progress) {
  return eval::bleu_of_model(Transformer(checkpoint, options.arithmetic), TextCodec(checkpoint),
                             text, options, progress);
}

double bleu_of(const std::vector<eval::BleuStatistics>& sentences,
               const eval::EvaluationOptions& options) {
  return eval::score(eval::sum(sentences), options.metric.bleu.smoothing).score;
}

std::string signature(const eval::EvaluationOptions& options) {
  return eval::signature(options, version());
}

}  // namespace ltz::pipeline
