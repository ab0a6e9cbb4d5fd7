#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "compress/calibration.h"
#include "compress/noise_sensitivity.h"
#include "compress/recipe.h"
#include "compress/second_order.h"
#include "model/checkpoint.h"

// Compression that looks at what the layers see: second-order rounding, layer after layer.
namespace ltz::compress {

// What is measured once, on the uncompressed model.
struct Calibration {
  CalibrationText text;
  std::map<std::string, InputMoments> moments;  // of every matrix and table, see table_moments
  RowWeights row_weights;                       // of the tables
  std::map<std::string, double> sensitivities;  // see noise_sensitivity
};

// How much the rows of each token table count: more for words that occur more often in the text;
// those that never do count like the rarest. Mean 1.
RowWeights table_row_weights(const Checkpoint& checkpoint, const CalibrationText& text);

// Moments of every matrix, and of every table: of the features that the output projection
// multiplies; where rows are only looked up, every channel counts the same; both where a table is
// used for both. Without a text every input is taken to be like every other: no correlations.
std::map<std::string, InputMoments> all_moments(const Checkpoint& checkpoint,
                                                const CalibrationText& text);

using StageProgress = std::function<void(std::size_t done, std::size_t total)>;

class CalibratedCompressor {
 public:
  // Checkpoint and calibration outlive the compressor. Throws ConfigError for a calibration that
  // lacks a tensor.
  CalibratedCompressor(const Checkpoint& checkpoint, const Calibration& calibration,
                       const Recipe& recipe);

  // Entropy of the codes of all matrices, in bits, when every error in the output of a layer costs
  // its sensitivity and a bit costs lambda; each by itself and in one pass: an estimate.
  double estimated_bits(double lambda) const;

  // Elements of all matrices that get a codebook.
  std::int64_t matrix_elements() const;
  // What everything else but the tables takes: float16.
  double float_bits() const;

  // The compressed model. The tables come first, then sublayer after sublayer, each with the
  // moments of inputs that come through all that is compressed already; its biases take up
  // the mean error of its outputs. What has no codebook becomes float16. The same for any number
  // of threads. on_stage may be empty.
  Checkpoint compress(double lambda, const StageProgress& on_stage = {}) const;

 private:
  SecondOrderResult quantize(const std::string& name, const InputMoments& moments, double lambda,
                             const SecondOrderOptions& options) const;

  const Checkpoint& checkpoint_;
  const Calibration& calibration_;
  // Names of the tensors that are calibrated together, in order of computation.
  std::vector<std::vector<std::string>> stages_;
};

}  // namespace ltz::compress
