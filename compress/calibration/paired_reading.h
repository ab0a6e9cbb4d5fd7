#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "compress/calibration/calibration.h"
#include "compress/calibration/layer_norm_repair.h"
#include "model/layers/transformer.h"

namespace ltz::compress {

// What a layer of a compressed model gets to see, and what it should have seen.
struct PairedMoments {
  InputMoments inputs;        // y, of the compressed model
  std::vector<double> cross;  // (columns, columns), row-major: sum of x y^T, x: of the original

  // x, y: (inputs, columns), of the same width every time.
  void add(MatrixView x, MatrixView y);
  void add(const PairedMoments& other);
};

// A model and its compressed copy read the calibration text side by side, sublayer by sublayer, so
// that each sublayer of the copy can be compressed when all before it are. Keeps what the sublayers
// hand on: 8 bytes for each token of the text and each channel. Everything is the same for any
// number of threads.
class PairedReading {
 public:
  // The models outlive the reading; their observers are replaced. The text: as of input_moments.
  PairedReading(Transformer& original, Transformer& compressed, const EncodedText& text);
  ~PairedReading();

  // Moments of the inputs of these matrices of the next sublayer.
  std::map<std::string, PairedMoments> moments(const std::set<std::string>& matrices);
  // What the next sublayer puts out in both.
  LineSums outputs() const;
  // Both run the next sublayer.
  void advance();

 private:
  struct Batch {
    Reading original;
    Reading compressed;
  };

  Transformer& original_;
  Transformer& compressed_;
  std::vector<Batch> batches_;
};

}  // namespace ltz::compress
