#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "compress/calibration/input_geometry.h"
#include "model/checkpoint/checkpoint.h"
#include "model/kernels/matrix.h"

// What a LayerNorm can do about the errors of the compressed layers in front of it: its gain and
// bias cost nothing more when they are others.
namespace ltz::compress {

// For every channel the line slope * z + offset.
struct AffineFit {
  std::vector<double> slope;   // (channels)
  std::vector<double> offset;  // (channels)
};

enum class Slope {
  kLeastSquares,  // cov(y, z) / var(z)
  // sd(y) / sd(z). Noise makes the slope of least squares smaller; behind the last LayerNorm of the
  // decoder that is a model that is less sure: on the Multi30k model at 2.2 bits per weight the
  // loss of the development set rose by 0.01 nats there.
  kSameVariance,
};

// What the lines need of the outputs of one LayerNorm, sums by channel.
struct LineSums {
  double count = 0.0;
  Row y;   // of the original
  Row z;   // of the compressed model
  Row yy;  // squares and products
  Row zz;
  Row yz;

  // original, compressed: (tokens, channels), of the same width every time.
  void add(MatrixView original, MatrixView compressed);
  void add(const LineSums& other);
};

// For every channel the line from the outputs z of the compressed model to the outputs y of the
// original: that of least squared error, or the one with this slope. Slopes stay in [0.5, 1.5];
// where z does not vary, the slope is 1; the offset is the best one for the slope.
AffineFit fit_lines(const LineSums& sums, Slope slope = Slope::kLeastSquares);

struct NormParameters {
  std::vector<float> gain;
  std::vector<float> bias;
};

// Gain and bias of a LayerNorm with the lines behind it, rounded to float16. gain, bias:
// (channels). Throws ConfigError for a fit of another number of channels.
NormParameters repaired(std::span<const float> gain, std::span<const float> bias,
                        const AffineFit& fit);

// Name of the LayerNorm right behind the sublayer (self-attention and its branches,
// cross-attention, feed-forward) that a parameter belongs to. None in a pre-norm stack, where the
// residual connection comes in between, and for embeddings and LayerNorms.
std::optional<std::string> norm_behind(const ModelConfig& config, const ParameterSpec& spec);

}  // namespace ltz::compress
