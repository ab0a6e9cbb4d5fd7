#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "eval/scores/bleu.h"
#include "formats/ltz/ltz.h"
#include "model/text/vocabulary.h"

namespace ltz::pipeline {

// A model that was compressed and packed at some strength.
struct TrialRecord {
  std::string method;  // what the file depends on beside the strength
  double strength = 0.0;
  formats::LtzSizes sizes;
  // On the development set, if it was measured.
  std::optional<double> bleu;
  std::optional<double> nll;  // of a language model, nats per token
};

// What `compress` has measured so far, in a file that a later run goes on from: `--state`.
class CompressState {
 public:
  // path: none, and nothing is kept. measured: by name, what the contents depend on. Throws
  // ConfigError when that of the file is something else, FormatError when the file is damaged.
  CompressState(std::string path, std::map<std::string, std::string> measured);

  // Writes the file anew, atomically.
  void save() const;
  const std::string& path() const { return path_; }

  std::vector<std::vector<int>> translations;   // of the calibration text, token ids
  std::map<std::string, double> sensitivities;  // see compress::noise_sensitivity
  std::vector<eval::BleuStatistics> reference;  // of the model on the development set
  std::optional<double> reference_nll;          // the same of a language model
  std::vector<TrialRecord> trials;
  std::string training_text;                  // fingerprint of the source to train on
  std::vector<std::string> training_targets;  // what the model makes of it, as far as it got

 private:
  void parse(const std::string& text);

  std::string path_;
  std::map<std::string, std::string> measured_;
};

}  // namespace ltz::pipeline
