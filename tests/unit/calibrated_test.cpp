#include "compress/calibrated.h"

#include <omp.h>

#include <catch2/catch.hpp>
#include <cmath>

#include "compress/quantize.h"
#include "eval/divergence.h"
#include "formats/compress_to_ltz.h"
#include "formats/ltz.h"
#include "model/error.h"
#include "tests/unit/tiny_checkpoint.h"

using namespace ltz;
using namespace ltz::compress;

namespace {

const CalibrationText kText = {
    .sources = {{4, 5, 6, 7, 2}, {8, 9, 2}, {10, 11, 12, 13, 14, 15, 2}, {5, 2}},
    .targets = {{4, 5, 2}, {6, 7, 8, 9, 2}, {10, 2}, {11, 12, 2}}};

Calibration calibration_of(const Checkpoint& checkpoint, const CalibrationText& text) {
  Calibration calibration{.text = text,
                          .moments = all_moments(checkpoint, text),
                          .row_weights = table_row_weights(checkpoint, text),
                          .sensitivities = {}};
  for (const auto& [name, moments] : calibration.moments) {
    calibration.sensitivities[name] = 1.0;
  }
  return calibration;
}

double total_bits(const Checkpoint& checkpoint) {
  double bits = 0.0;
  for (const auto& [name, tensor] : checkpoint.tensors) {
    if (const auto* quantized = std::get_if<QuantizedValues>(&tensor.data)) {
      bits += code_entropy(*quantized) * static_cast<double>(tensor.size());
    }
  }
  return bits;
}

}  // namespace

TEST_CASE("moments are taken of every matrix and table") {
  const Checkpoint checkpoint = tiny_checkpoint(1);
  const auto moments = all_moments(checkpoint, kText);
  for (const ParameterSpec& spec : parameter_specs(checkpoint.config)) {
    const bool wanted = spec.role == Role::kMatrix || spec.role == Role::kTable;
    REQUIRE(moments.contains(spec.name) == wanted);
    if (wanted) {
      CHECK(moments.at(spec.name).columns() == spec.shape[1]);
    }
  }
  // Every token of the source and of the target is an input.
  CHECK(moments.at("encoder.layers.0.fc1.weight").count == 17);
  CHECK(moments.at("decoder.layers.0.fc1.weight").count == 13);
  CHECK(moments.at("decoder.layers.0.encoder_attn.k_proj.weight").count == 17);
  // Without a text there are no correlations.
  const auto none = all_moments(checkpoint, {});
  CHECK(none.size() == moments.size());
  CHECK(none.at("encoder.layers.0.fc1.weight").second[1] == 0.0);
}

TEST_CASE("moments and compression do not depend on the threads") {
  const Checkpoint checkpoint = tiny_checkpoint(2);
  const auto compressed = [&](int threads) {
    omp_set_num_threads(threads);
    const Calibration calibration = calibration_of(checkpoint, kText);
    return CalibratedCompressor(checkpoint, calibration, {}).compress(1e-3);
  };
  const int threads = omp_get_max_threads();
  const Checkpoint one = compressed(1);
  const Checkpoint three = compressed(3);
  omp_set_num_threads(threads);
  CHECK(one.tensors == three.tensors);
}

TEST_CASE("words that occur count more") {
  const RowWeights weights = table_row_weights(tiny_checkpoint(3), kText);
  const std::vector<double>& source = weights.at("encoder.embed_tokens.weight");
  CHECK(source[5] > source[6]);  // twice, once
  CHECK(source[6] > source[3]);  // once, never
  CHECK(source[Vocabulary::kEos] == *std::ranges::max_element(source));
}

TEST_CASE("the sensitivity is the quality of an error of one") {
  const Checkpoint checkpoint = tiny_checkpoint(4);
  const std::string name = "encoder.layers.0.fc1.weight";
  const std::map<std::string, InputMoments> moments = {
      {name, all_moments(checkpoint, kText).at(name)}};
  // A quality that is three times the error in the layer's outputs.
  const InputMoments& inputs = moments.at(name);
  const auto columns = static_cast<std::size_t>(inputs.columns());
  const std::vector<float> original = checkpoint.tensors.at(name).values();
  const Quality quality = [&](const Replacements& replacements) {
    const std::vector<float> values = replacements.at(name).values();
    double error = 0.0;
    for (std::size_t row = 0; row < values.size() / columns; ++row) {
      for (std::size_t i = 0; i < columns; ++i) {
        for (std::size_t j = 0; j < columns; ++j) {
          error += (values[row * columns + i] - original[row * columns + i]) *
                   inputs.second[i * columns + j] / static_cast<double>(inputs.count) *
                   (values[row * columns + j] - original[row * columns + j]);
        }
      }
    }
    return 3.0 * error;
  };
  const auto found = noise_sensitivity(checkpoint, moments, {}, quality);
  CHECK(found.at(name) == Approx(3.0).epsilon(0.5));  // one draw of few weights
  CHECK_THROWS_AS(
      noise_sensitivity(checkpoint, moments, {}, [](const Replacements&) { return std::nan(""); }),
      ConfigError);
}

TEST_CASE("a smaller lambda makes a larger file and a closer model") {
  const Checkpoint checkpoint = tiny_checkpoint(5);
  const Calibration calibration = calibration_of(checkpoint, kText);
  const CalibratedCompressor compressor(checkpoint, calibration, {});
  const Transformer original(checkpoint);
  const eval::Divergence divergence(original, kText.sources, kText.targets);
  CHECK(divergence.of(original) == 0.0);
  const Checkpoint coarse = compressor.compress(1e-2);
  const Checkpoint fine = compressor.compress(1e-5);
  validate(fine);
  CHECK(total_bits(coarse) < total_bits(fine));
  CHECK(compressor.estimated_bits(1e-2) < compressor.estimated_bits(1e-5));
  CHECK(divergence.of(Transformer(fine)) < divergence.of(Transformer(coarse)));
  CHECK(divergence.of(Transformer(fine)) > 0.0);
}

TEST_CASE("biases take up the mean error") {
  const Checkpoint checkpoint = tiny_checkpoint(6);
  const Checkpoint found =
      CalibratedCompressor(checkpoint, calibration_of(checkpoint, kText), {}).compress(3e-2);
  const std::string bias = "encoder.layers.0.fc1.bias";
  CHECK(found.tensors.at(bias) != to_float16(checkpoint.tensors.at(bias)));
  // Without a text nobody knows the mean.
  const Checkpoint blind =
      CalibratedCompressor(checkpoint, calibration_of(checkpoint, {}), {}).compress(3e-2);
  CHECK(blind.tensors.at(bias) == to_float16(checkpoint.tensors.at(bias)));
}

TEST_CASE("what the recipe keeps as floats gets no codebook") {
  const Checkpoint checkpoint = tiny_checkpoint(7);
  const Calibration calibration = calibration_of(checkpoint, kText);
  Recipe recipe;
  recipe.overrides.push_back({.pattern = "*.fc1.weight", .keep_float = true});
  const Checkpoint found = CalibratedCompressor(checkpoint, calibration, recipe).compress(1e-3);
  CHECK_FALSE(found.tensors.at("encoder.layers.0.fc1.weight").quantized());
  CHECK(found.tensors.at("encoder.layers.0.fc2.weight").quantized());
}

TEST_CASE("what is bfloat16 and gets no codebook stays as it is") {
  Checkpoint checkpoint = tiny_checkpoint(10);
  const std::string gain = "encoder.layers.0.final_layer_norm.weight";
  Tensor& tensor = checkpoint.tensors.at(gain);
  std::vector<float> values(static_cast<std::size_t>(tensor.size()), 1.0f);
  values.front() = 0x1p-30f;  // float16 would make it zero
  tensor = dense_tensor(tensor.shape, std::move(values), Precision::kBFloat16);
  const Calibration calibration = calibration_of(checkpoint, kText);
  const Checkpoint found = CalibratedCompressor(checkpoint, calibration, {}).compress(1e-3);
  CHECK(found.tensors.at(gain) == checkpoint.tensors.at(gain));
}

TEST_CASE("a calibration of another model is refused") {
  const Checkpoint checkpoint = tiny_checkpoint(8);
  Calibration calibration = calibration_of(checkpoint, kText);
  calibration.moments.erase("encoder.layers.0.fc1.weight");
  CHECK_THROWS_WITH(CalibratedCompressor(checkpoint, calibration, {}),
                    Catch::Contains("encoder.layers.0.fc1.weight"));
}

TEST_CASE("a calibrated file has the size that was asked for") {
  const Checkpoint checkpoint = tiny_checkpoint(9);
  const Calibration calibration = calibration_of(checkpoint, kText);
  const CalibratedCompressor compressor(checkpoint, calibration, {});
  const auto size_at = [&](double lambda) {
    return static_cast<double>(
        formats::ltz_sizes(formats::encode_ltz(compressor.compress(lambda))).model);
  };
  const double wanted = 0.5 * (size_at(1e-1) + size_at(1e-5));
  const auto bytes = formats::compress_to_ltz(compressor, wanted);
  const auto found = static_cast<double>(formats::ltz_sizes(bytes).model);
  CHECK(found <= wanted);
  CHECK(found > 0.9 * wanted);
  CHECK_THROWS_AS(formats::compress_to_ltz(compressor, 10.0), ConfigError);
}
