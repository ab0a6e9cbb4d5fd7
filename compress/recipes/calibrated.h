#pragma once

#include <array>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "compress/calibration/calibration.h"
#include "compress/calibration/noise_sensitivity.h"
#include "compress/calibration/paired_reading.h"
#include "compress/calibration/token_tables.h"
#include "compress/recipes/recipe.h"
#include "compress/second_order/second_order.h"
#include "model/base/progress.h"
#include "model/checkpoint/checkpoint.h"

// Compression that looks at what the layers see: second-order rounding, layer after layer.
namespace ltz::compress {

// What is measured once, on the uncompressed model.
struct Calibration {
  EncodedText text;
  std::map<std::string, InputMoments> moments;  // of every matrix and table, see all_moments
  RowWeights row_weights;                       // of the tables
  std::map<std::string, double> sensitivities;  // see noise_sensitivity
};

// What is foreseen for one matrix or table.
struct TensorEstimate {
  std::string name;
  std::string_view codebook;  // "uniform" or "k-means": which of both won
  std::size_t centroids = 0;  // that occur
  double sparsity = 0.0;      // fraction of zeros
  double bits = 0.0;          // of all codes, as CodeRates has it
  double divergence = 0.0;    // of the model's distributions that comes from its error, in nats
};

class CalibratedCompressor {
 public:
  // Checkpoint and calibration outlive the compressor. Throws ConfigError for a calibration that
  // lacks a tensor.
  CalibratedCompressor(const Checkpoint& checkpoint, const Calibration& calibration,
                       const Recipe& recipe);

  // For every matrix and table that gets a codebook, in order of computation: what comes out when
  // every error in the output of a layer costs its sensitivity and a bit costs lambda. An estimate:
  // each independently, and without the last passes.
  std::vector<TensorEstimate> estimate(double lambda) const;

  // The compressed model. The tables come first, then sublayer after sublayer, each rounded on
  // inputs that come through all that is compressed already to what the original's layers put out;
  // biases take up the mean error. What has no codebook becomes float16. The same for any number of
  // threads.
  Checkpoint compress(double lambda, const Progress& on_stage = {}) const;

 private:
  // What one error in the outputs of this layer costs, by the recipe.
  double price(const std::string& name) const;
  SecondOrderResult quantize(const std::string& name, std::span<const float> weights,
                             const InputMoments& moments, double lambda,
                             const SecondOrderOptions& options) const;
  // The matrices of a group, on the inputs that they get in the compressed model, and their biases.
  Replacements compress_group(const std::vector<std::string>& group, double lambda,
                              PairedReading* reading) const;
  // Everything that gets a codebook, in order of computation.
  std::vector<std::string> names() const;

  const Checkpoint& checkpoint_;
  const Calibration& calibration_;
  std::vector<Override> overrides_;
  CalibratedMethod method_;
  std::vector<std::string> tables_;
  // Matrices of each sublayer, by name: those that take its inputs, then those behind them.
  std::vector<std::array<std::vector<std::string>, 2>> sublayers_;
  std::vector<std::optional<std::string>> norms_;  // LayerNorms right behind them
};

}  // namespace ltz::compress
