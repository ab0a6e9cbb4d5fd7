#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/pipeline/events.h"
#include "eval/quality/evaluate.h"
#include "model/checkpoint/checkpoint.h"

namespace ltz::pipeline {

// How good a model is on a text.
struct Quality {
  std::vector<eval::BleuStatistics> bleu;  // of each sentence; none of a language model
  std::optional<double> nll;               // nats per target token, where it was asked for
};

// A model and what it is tried on.
struct QualityQuestion {
  const Checkpoint& checkpoint;
  const eval::ParallelText& text;
  const eval::EvaluationOptions& evaluation;
  bool nll = false;  // not only BLEU; always of a language model
};

// Qualities that were measured before, in a file that later runs take them from. Each is filed
// under the fingerprints of model, vocabulary and text and the signature of BLEU, so that it is
// never that of something else.
class QualityCache {
 public:
  // path: none, and nothing outlives this. Throws FormatError, naming it, for another kind of file.
  explicit QualityCache(std::string path = "");

  // What is asked for; only what is not known is measured, and then written to the file. label: for
  // progress. Throws ConfigError for texts of different or no length.
  Quality measure(const QualityQuestion& question, const Events& events, const std::string& label);

  // For what was measured elsewhere.
  void keep(const QualityQuestion& question, const Quality& quality);

 private:
  void save() const;

  std::string path_;
  std::map<std::string, Quality> known_;  // by key
};

}  // namespace ltz::pipeline
