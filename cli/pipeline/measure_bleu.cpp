#include "cli/pipeline/measure_bleu.h"

#include <nlohmann/json.hpp>

#include "cli/pipeline/fingerprint.h"

namespace ltz::pipeline {

std::vector<eval::BleuStatistics> measure_bleu(const Checkpoint& checkpoint,
                                               const eval::ParallelText& text,
                                               const eval::EvaluationOptions& options,
                                               const Progress& progress) {
  return eval::bleu_of_model(Transformer(checkpoint, options.arithmetic), TextCodec(checkpoint),
                             text, options, progress);
}

double measure_nll(const Checkpoint& checkpoint, const eval::ParallelText& text,
                   const eval::EvaluationOptions& options) {
  return eval::loss_of_model(Transformer(checkpoint, options.arithmetic), TextCodec(checkpoint),
                             text, options)
      .mean();
}

double bleu_of(const std::vector<eval::BleuStatistics>& sentences,
               const eval::EvaluationOptions& options) {
  return eval::score(eval::sum(sentences), options.metric.bleu.smoothing).score;
}

std::string signature(const eval::EvaluationOptions& options) {
  return eval::signature(options, version());
}

nlohmann::ordered_json bleu_json(const std::vector<eval::BleuStatistics>& sentences) {
  auto json = nlohmann::ordered_json::array();
  for (const eval::BleuStatistics& sentence : sentences) {
    json.push_back(
        {sentence.matches, sentence.totals, sentence.hypothesis_length, sentence.reference_length});
  }
  return json;
}

std::vector<eval::BleuStatistics> bleu_from_json(const nlohmann::ordered_json& json) {
  std::vector<eval::BleuStatistics> sentences;
  for (const nlohmann::ordered_json& line : json) {
    eval::BleuStatistics& sentence = sentences.emplace_back();
    line.at(0).get_to(sentence.matches);
    line.at(1).get_to(sentence.totals);
    line.at(2).get_to(sentence.hypothesis_length);
    line.at(3).get_to(sentence.reference_length);
  }
  return sentences;
}

}  // namespace ltz::pipeline
