#include "compress/calibration/layer_norm_repair.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <map>
#include <set>

#include "compress/calibration/paired_reading.h"
#include "model/base/error.h"
#include "tests/support/random_layer.h"
#include "tests/support/tiny_calibration.h"
#include "tests/support/tiny_checkpoint.h"

using namespace ltz;
using namespace ltz::compress;

namespace {

// Each LayerNorm and the sublayer that it is in.
std::map<std::string, int> norms_of(const ModelConfig& config) {
  std::map<std::string, int> norms;
  for (const ParameterSpec& spec : parameter_specs(config)) {
    if (const auto norm = norm_behind(config, spec)) {
      norms[*norm] = sublayer_of(config, spec);
    }
  }
  return norms;
}

std::vector<float>& values_in(Checkpoint& checkpoint, const std::string& name) {
  return std::get<DenseValues>(checkpoint.tensors.at(name).data).values;
}

// Gains and biases that float16 holds; none is next to nothing, where float16 is very fine.
Checkpoint with_plain_norms(unsigned seed) {
  Checkpoint checkpoint = tiny_checkpoint(seed);
  for (const auto& [norm, sublayer] : norms_of(checkpoint.config)) {
    std::vector<float>& gain = values_in(checkpoint, norm + ".weight");
    std::vector<float>& bias = values_in(checkpoint, norm + ".bias");
    for (std::size_t i = 0; i < gain.size(); ++i) {
      gain[i] = round_to_float16(gain[i]);
      bias[i] = static_cast<float>(i + 1) / 64.0f;
    }
  }
  return checkpoint;
}

// Of a sublayer's outputs, while both models read the tiny text.
LineSums outputs(const Checkpoint& one, const Checkpoint& two, int sublayer) {
  Transformer original(one);
  Transformer compressed(two);
  PairedReading reading(original, compressed, tiny_text());
  for (int s = 0; s < sublayer; ++s) {
    reading.advance();
  }
  return reading.outputs();
}

LineSums sums_of(const Matrix& y, const Matrix& z) {
  LineSums sums;
  sums.add(y, z);
  return sums;
}

// (y - line(z))^2, mean over rows, of one channel.
double squared_error(const Matrix& y, const Matrix& z, Eigen::Index c, double slope,
                     double offset) {
  const Eigen::ArrayXd rest =
      y.col(c).cast<double>().array() - slope * z.col(c).cast<double>().array() - offset;
  return rest.square().mean();
}

Matrix noisy(const Matrix& y, unsigned seed) {
  std::mt19937 random(seed);
  Matrix z = y;
  for (float& value : z.reshaped()) {
    value = 0.9f * value + 0.7f * symmetric_uniform(random) + 0.3f;
  }
  return z;
}

}  // namespace

TEST_CASE("sums for lines may come in parts") {
  const Matrix y = correlated_inputs(1);
  const Matrix z = noisy(y, 2);
  LineSums parts = sums_of(y.topRows(120), z.topRows(120));
  parts.add(sums_of(y.bottomRows(380), z.bottomRows(380)));
  const AffineFit once = fit_lines(sums_of(y, z));
  const AffineFit found = fit_lines(parts);
  REQUIRE(found.slope.size() == kLayerColumns);
  for (std::size_t c = 0; c < kLayerColumns; ++c) {
    CHECK(found.slope[c] == Approx(once.slope[c]).epsilon(1e-9));
    CHECK(found.offset[c] == Approx(once.offset[c]).margin(1e-9));
  }
}

TEST_CASE("a line is found exactly") {
  const Matrix y = correlated_inputs(3);
  const Matrix z = y.array() * 0.8f - 0.5f;
  for (const Slope slope : {Slope::kLeastSquares, Slope::kSameVariance}) {
    const AffineFit found = fit_lines(sums_of(y, z), slope);
    for (std::size_t c = 0; c < kLayerColumns; ++c) {
      CHECK(found.slope[c] == Approx(1.25).epsilon(1e-5));
      CHECK(found.offset[c] == Approx(0.625).epsilon(1e-5));
    }
  }
}

TEST_CASE("the line is that of least squares, or keeps the variance") {
  const Matrix y = correlated_inputs(4);
  const Matrix z = noisy(y, 5);
  const AffineFit least = fit_lines(sums_of(y, z));
  const AffineFit same = fit_lines(sums_of(y, z), Slope::kSameVariance);
  for (Eigen::Index c = 0; c < y.cols(); ++c) {
    const auto place = static_cast<std::size_t>(c);
    const double slope = least.slope[place];
    const double offset = least.offset[place];
    const double error = squared_error(y, z, c, slope, offset);
    for (const double change : {-0.01, 0.01}) {
      CHECK(squared_error(y, z, c, slope + change, offset) > error);
      CHECK(squared_error(y, z, c, slope, offset + change) > error);
      CHECK(squared_error(y, z, c, same.slope[place], same.offset[place] + change) >
            squared_error(y, z, c, same.slope[place], same.offset[place]));
    }
    const Eigen::ArrayXd dy = (y.col(c).array() - y.col(c).mean()).cast<double>();
    const Eigen::ArrayXd dz = (z.col(c).array() - z.col(c).mean()).cast<double>();
    const double ratio = std::sqrt(dy.square().sum() / dz.square().sum());
    CHECK(same.slope[place] == Approx(ratio).epsilon(1e-4));
    CHECK(slope < same.slope[place]);
  }
}

TEST_CASE("slopes have limits, and a channel without variance is only shifted") {
  const Matrix y = correlated_inputs(6);
  Matrix z = y;
  z.col(0) *= 8.0f;
  z.col(1) /= 8.0f;
  z.col(2).setConstant(3.0f);
  z.col(3).setZero();
  z.col(4) *= -1.0f;
  const AffineFit fit = fit_lines(sums_of(y, z));
  CHECK(fit.slope[0] == 0.5);
  CHECK(fit.slope[1] == 1.5);
  CHECK(fit.slope[2] == 1.0);
  CHECK(fit.slope[3] == 1.0);
  CHECK(fit.slope[4] == 0.5);
  for (const std::size_t c : {0, 1, 2, 3, 4}) {
    const auto column = static_cast<Eigen::Index>(c);
    CHECK(fit.offset[c] ==
          Approx(y.col(column).mean() - fit.slope[c] * z.col(column).mean()).margin(1e-4));
  }
  CHECK(fit.slope[5] == Approx(1.0));
  CHECK(fit.offset[5] == Approx(0.0).margin(1e-6));
}

TEST_CASE("a LayerNorm whose gain and bias were changed gets them back") {
  const Checkpoint original = with_plain_norms(2);
  const auto norms = norms_of(original.config);
  REQUIRE(norms.size() == 5);
  for (const auto& [norm, sublayer] : norms) {
    CAPTURE(norm);
    Checkpoint changed = original;
    std::vector<float>& gain = values_in(changed, norm + ".weight");
    std::vector<float>& bias = values_in(changed, norm + ".bias");
    for (std::size_t i = 0; i < gain.size(); ++i) {
      gain[i] *= 1.25f;
      bias[i] += 0.25f;
    }
    const AffineFit fit = fit_lines(outputs(original, changed, sublayer));
    for (const double slope : fit.slope) {
      CHECK(slope == Approx(0.8).epsilon(1e-5));
    }
    const NormParameters found = repaired(gain, bias, fit);
    CHECK(found.gain == original.tensors.at(norm + ".weight").values());
    CHECK(found.bias == original.tensors.at(norm + ".bias").values());
  }
}

TEST_CASE("a LayerNorm takes up part of the damage in front of it") {
  const Checkpoint original = tiny_checkpoint(3);
  Checkpoint damaged = original;
  for (float& value : values_in(damaged, "encoder.layers.0.fc2.weight")) {
    value = std::round(value * 2.0f) / 2.0f;
  }
  const std::string norm = "encoder.layers.0.final_layer_norm";
  const LineSums before = outputs(original, damaged, 1);
  const NormParameters better =
      repaired(damaged.tensors.at(norm + ".weight").values(),
               damaged.tensors.at(norm + ".bias").values(), fit_lines(before));
  Checkpoint mended = damaged;
  mended.tensors.at(norm + ".weight") = dense_tensor({8}, better.gain);
  mended.tensors.at(norm + ".bias") = dense_tensor({8}, better.bias);
  const auto error = [](const LineSums& sums) { return (sums.yy - 2.0 * sums.yz + sums.zz).sum(); };
  CHECK(error(outputs(original, mended, 1)) < 0.95 * error(before));
}

TEST_CASE("the LayerNorm behind a sublayer") {
  Checkpoint checkpoint = tiny_checkpoint(7);
  ModelConfig& config = checkpoint.config;
  const auto behind = [&](const std::string& name) {
    for (const ParameterSpec& spec : parameter_specs(config)) {
      if (spec.name == name) {
        return norm_behind(config, spec);
      }
    }
    throw ConfigError("there is no tensor " + name);
  };
  CHECK(behind("encoder.layers.0.self_attn.branches.0.q_proj.weight") ==
        "encoder.layers.0.self_attn_layer_norm");
  CHECK(behind("encoder.layers.0.self_attn.branches.1.weight_linear.weight") ==
        "encoder.layers.0.self_attn_layer_norm");
  CHECK(behind("decoder.layers.0.encoder_attn.k_proj.weight") ==
        "decoder.layers.0.encoder_attn_layer_norm");
  CHECK(behind("decoder.layers.0.fc2.bias") == "decoder.layers.0.final_layer_norm");
  CHECK(behind("encoder.embed_tokens.weight") == std::nullopt);
  CHECK(behind("decoder.layers.0.final_layer_norm.weight") == std::nullopt);
  // Those that it names are there, and no other.
  std::set<std::string> there;
  for (const ParameterSpec& spec : parameter_specs(config)) {
    if (spec.role == Role::kGain) {
      there.insert(spec.name.substr(0, spec.name.size() - sizeof("weight")));
    }
  }
  for (const auto& [norm, sublayer] : norms_of(config)) {
    CHECK(there.erase(norm) == 1);
  }
  CHECK(there.empty());
  config.decoder.normalize_before = true;
  CHECK(behind("decoder.layers.0.fc2.weight") == std::nullopt);
  CHECK(behind("encoder.layers.0.fc2.weight") == "encoder.layers.0.final_layer_norm");
}

TEST_CASE("the repair of LayerNorms refuses what does not fit") {
  const std::vector<float> eight(8, 1.0f);
  CHECK_THROWS_WITH(repaired(eight, eight, {.slope = {1.0}, .offset = {0.0}}),
                    "expected gain and bias of 1 channels, found 8 and 8");
}
