#include "cli/pipeline/bleu_json.h"

#include <nlohmann/json.hpp>

namespace ltz::pipeline {

using nlohmann::ordered_json;

ordered_json bleu_json(const std::vector<eval::BleuStatistics>& sentences) {
  ordered_json json = ordered_json::array();
  for (const eval::BleuStatistics& sentence : sentences) {
    json.push_back(
        {sentence.matches, sentence.totals, sentence.hypothesis_length, sentence.reference_length});
  }
  return json;
}

std::vector<eval::BleuStatistics> bleu_from_json(const ordered_json& json) {
  std::vector<eval::BleuStatistics> sentences;
  for (const ordered_json& line : json) {
    eval::BleuStatistics& sentence = sentences.emplace_back();
    line.at(0).get_to(sentence.matches);
    line.at(1).get_to(sentence.totals);
    line.at(2).get_to(sentence.hypothesis_length);
    line.at(3).get_to(sentence.reference_length);
  }
  return sentences;
}

}  // namespace ltz::pipeline
