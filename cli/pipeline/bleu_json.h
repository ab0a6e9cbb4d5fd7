#pragma once

#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "eval/scores/bleu.h"

// Sentences' statistics of BLEU in the files that keep what was measured.
namespace ltz::pipeline {

// A list for each sentence: matches, totals, length of hypothesis and reference.
nlohmann::ordered_json bleu_json(const std::vector<eval::BleuStatistics>& sentences);
// Throws nlohmann::json::exception for anything else.
std::vector<eval::BleuStatistics> bleu_from_json(const nlohmann::ordered_json& json);

}  // namespace ltz::pipeline
