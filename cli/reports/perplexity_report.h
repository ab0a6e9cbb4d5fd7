#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "eval/quality/perplexity.h"

// What eval says about a language model on a text.
namespace ltz::cli {

struct PerplexityReportOptions {
  bool words = false;  // per word, too
  std::string signature;
};

struct PerplexityReport {
  std::string text;
  nlohmann::ordered_json json;
};

PerplexityReport perplexity_report(const eval::Perplexity& measured,
                                   const PerplexityReportOptions& options);

}  // namespace ltz::cli
