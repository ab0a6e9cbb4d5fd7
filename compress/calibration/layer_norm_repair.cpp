#include "compress/calibration/layer_norm_repair.h"

#include <algorithm>
#include <cmath>

#include "model/base/error.h"

namespace ltz::compress {
namespace {

// Beyond this the line follows the text rather than the damage.
constexpr double kLeastSlope = 0.5;
constexpr double kLargestSlope = 1.5;

// Variance of a channel below which it is rounding, as a fraction of its mean square.
constexpr double kNoVariance = 1e-10;

}  // namespace

void LineSums::add(MatrixView original, MatrixView compressed) {
  const auto y64 = original.cast<double>();
  const auto z64 = compressed.cast<double>();
  add({.count = static_cast<double>(original.rows()),
       .y = y64.colwise().sum(),
       .z = z64.colwise().sum(),
       .yy = y64.cwiseProduct(y64).colwise().sum(),
       .zz = z64.cwiseProduct(z64).colwise().sum(),
       .yz = y64.cwiseProduct(z64).colwise().sum()});
}

void LineSums::add(const LineSums& other) {
  if (count == 0.0) {
    *this = other;
    return;
  }
  count += other.count;
  y += other.y;
  z += other.z;
  yy += other.yy;
  zz += other.zz;
  yz += other.yz;
}

AffineFit fit_lines(const LineSums& sums, Slope slope) {
  AffineFit lines;
  for (Eigen::Index i = 0; i < sums.y.size(); ++i) {
    const double y = sums.y[i] / sums.count;
    const double z = sums.z[i] / sums.count;
    const double mean_square = sums.zz[i] / sums.count;
    const double variance = mean_square - z * z;
    double line = 1.0;
    if (variance > kNoVariance * mean_square) {
      line = slope == Slope::kLeastSquares
                 ? (sums.yz[i] / sums.count - y * z) / variance
                 : std::sqrt(std::max(sums.yy[i] / sums.count - y * y, 0.0) / variance);
      line = std::clamp(line, kLeastSlope, kLargestSlope);
    }
    lines.slope.push_back(line);
    lines.offset.push_back(y - line * z);
  }
  return lines;
}

NormParameters repaired(std::span<const float> gain, std::span<const float> bias,
                        const AffineFit& fit) {
  if (gain.size() != fit.slope.size() || bias.size() != fit.slope.size()) {
    throw ConfigError("expected gain and bias of " + std::to_string(fit.slope.size()) +
                      " channels, found " + std::to_string(gain.size()) + " and " +
                      std::to_string(bias.size()));
  }
  NormParameters parameters;
  for (std::size_t i = 0; i < gain.size(); ++i) {
    parameters.gain.push_back(round_to_float16(static_cast<float>(fit.slope[i] * gain[i])));
    parameters.bias.push_back(
        round_to_float16(static_cast<float>(fit.slope[i] * bias[i] + fit.offset[i])));
  }
  return parameters;
}

std::optional<std::string> norm_behind(const ModelConfig& config, const ParameterSpec& spec) {
  const bool encoder = spec.stack == Stack::kEncoder;
  if (spec.layer < 0 || (encoder ? config.encoder : config.decoder).normalize_before) {
    return std::nullopt;
  }
  const std::string layer =
      (encoder ? "encoder.layers." : "decoder.layers.") + std::to_string(spec.layer);
  switch (spec.component) {
    case Component::kAttention:
    case Component::kConvolution:
      return layer + ".self_attn_layer_norm";
    case Component::kCrossAttention:
      return layer + ".encoder_attn_layer_norm";
    case Component::kFeedForward:
      return layer + ".final_layer_norm";
    case Component::kEmbedding:
    case Component::kNorm:
      break;
  }
  return std::nullopt;
}

}  // namespace ltz::compress
