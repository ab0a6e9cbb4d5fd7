#include "compress/recipes/calibrated.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

#include "compress/codebooks/quantize.h"
#include "compress/recipes/tunable.h"
#include "eval/quality/divergence.h"
#include "formats/ltz/ltz.h"
#include "formats/records/size_fit.h"
#include "model/base/error.h"
#include "tests/support/thread_count.h"
#include "tests/support/tiny_calibration.h"
#include "tests/support/tiny_checkpoint.h"

using namespace ltz;
using namespace ltz::compress;

namespace {

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

TEST_CASE("compression does not depend on the threads") {
  const Checkpoint checkpoint = tiny_checkpoint(2);
  const Calibration calibration = tiny_calibration(checkpoint, long_text());
  const auto compressed = [&](int threads) {
    const ThreadCount guard(threads);
    return CalibratedCompressor(checkpoint, calibration, {.method = CalibratedMethod{}})
        .compress(1e-3);
  };
  const Checkpoint one = compressed(1);
  const Checkpoint three = compressed(3);
  CHECK(one.tensors == three.tensors);
}

TEST_CASE("a smaller lambda makes a larger file and a closer model") {
  const Checkpoint checkpoint = tiny_checkpoint(5);
  const EncodedText text = tiny_text();
  const Calibration calibration = tiny_calibration(checkpoint, text);
  const CalibratedCompressor compressor(checkpoint, calibration, {.method = CalibratedMethod{}});
  const Transformer original(checkpoint);
  const eval::Divergence divergence({original, text.source, text.target});
  const auto divergence_of = [&](const Transformer& model) {
    return divergence.of({model, text.source, text.target});
  };
  CHECK(divergence_of(original) == 0.0);
  const Checkpoint coarse = compressor.compress(1e-2);
  const Checkpoint fine = compressor.compress(1e-5);
  validate(fine);
  CHECK(total_bits(coarse) < total_bits(fine));
  CHECK(divergence_of(Transformer(fine)) < divergence_of(Transformer(coarse)));
  CHECK(divergence_of(Transformer(fine)) > 0.0);
}

TEST_CASE("estimates are in the order of computation and follow lambda") {
  const Checkpoint checkpoint = tiny_checkpoint(6);
  const Calibration calibration = tiny_calibration(checkpoint, tiny_text());
  const CalibratedCompressor compressor(checkpoint, calibration, {.method = CalibratedMethod{}});
  const std::vector<TensorEstimate> coarse = compressor.estimate(1e-2);
  const std::vector<TensorEstimate> fine = compressor.estimate(1e-5);
  REQUIRE(coarse.size() == calibration.moments.size());
  REQUIRE(fine.size() == coarse.size());
  CHECK(coarse.front().name == kEncoderTable);
  CHECK(coarse.back().name == "decoder.layers.0.fc2.weight");
  for (std::size_t i = 0; i < coarse.size(); ++i) {
    CAPTURE(coarse[i].name);
    CHECK(coarse[i].bits < fine[i].bits);
    CHECK(coarse[i].divergence > fine[i].divergence);
    CHECK(coarse[i].centroids <= fine[i].centroids);
  }
}

TEST_CASE("biases take up the mean error") {
  const Checkpoint checkpoint = tiny_checkpoint(6);
  const Checkpoint found =
      CalibratedCompressor(checkpoint, tiny_calibration(checkpoint, tiny_text()),
                           {.method = CalibratedMethod{}})
          .compress(3e-2);
  const std::string bias = "encoder.layers.0.fc1.bias";
  CHECK(found.tensors.at(bias) != to_float16(checkpoint.tensors.at(bias)));
  // Without a text nobody knows the mean.
  const Checkpoint blind = CalibratedCompressor(checkpoint, tiny_calibration(checkpoint, {}),
                                                {.method = CalibratedMethod{}})
                               .compress(3e-2);
  CHECK(blind.tensors.at(bias) == to_float16(checkpoint.tensors.at(bias)));
}

TEST_CASE("a model of which nothing is left is still a model") {
  const Checkpoint checkpoint = tiny_checkpoint(11);
  const Calibration calibration = tiny_calibration(checkpoint, tiny_text());
  // Behind the first layers every token looks the same: inputs without variance.
  for (const double lambda : {3e-2, 1.0, 1e3}) {
    const Checkpoint found =
        CalibratedCompressor(checkpoint, calibration, {.method = CalibratedMethod{}})
            .compress(lambda);
    validate(found);
    for (const auto& [name, tensor] : found.tensors) {
      CAPTURE(name, lambda);
      const std::vector<float> values = tensor.values();
      CHECK(std::ranges::all_of(values, [](float value) { return std::abs(value) < 100.0f; }));
    }
  }
}

TEST_CASE("what is bfloat16 and gets no codebook stays as it is") {
  Checkpoint checkpoint = tiny_checkpoint(10);
  const std::string gain = "encoder.layers.0.final_layer_norm.weight";
  Tensor& tensor = checkpoint.tensors.at(gain);
  std::vector<float> values(static_cast<std::size_t>(tensor.size()), 1.0f);
  values.front() = 0x1p-30f;  // float16 would make it zero
  tensor = dense_tensor(tensor.shape, std::move(values), Precision::kBFloat16);
  const Calibration calibration = tiny_calibration(checkpoint, tiny_text());
  const Checkpoint found =
      CalibratedCompressor(checkpoint, calibration, {.method = CalibratedMethod{}}).compress(1e-3);
  CHECK(found.tensors.at(gain) == checkpoint.tensors.at(gain));
}

TEST_CASE("a calibration of another model is refused") {
  const Checkpoint checkpoint = tiny_checkpoint(8);
  Calibration calibration = tiny_calibration(checkpoint, tiny_text());
  calibration.moments.erase("encoder.layers.0.fc1.weight");
  CHECK_THROWS_WITH(CalibratedCompressor(checkpoint, calibration, {.method = CalibratedMethod{}}),
                    Catch::Contains("encoder.layers.0.fc1.weight"));
  calibration = tiny_calibration(checkpoint, tiny_text());
  calibration.sensitivities.erase(kDecoderTable);
  CHECK_THROWS_WITH(CalibratedCompressor(checkpoint, calibration, {.method = CalibratedMethod{}}),
                    Catch::Contains(kDecoderTable));
}

TEST_CASE("a calibrated file has the size that was asked for") {
  const Checkpoint checkpoint = tiny_checkpoint(9);
  const Calibration calibration = tiny_calibration(checkpoint, tiny_text());
  const TunableCalibrated compressor(checkpoint, calibration, {.method = CalibratedMethod{}});
  const auto sizes_at = [&](double strength) {
    return formats::ltz_sizes(formats::encode_ltz(compressor.compress(strength, {})));
  };
  const double wanted = 0.5 * static_cast<double>(sizes_at(-3.0).model + sizes_at(-17.0).model);
  double weights = 0.0;
  for (const ParameterSpec& spec : parameter_specs(checkpoint.config)) {
    weights += spec.role == Role::kTable ? 0.0 : static_cast<double>(element_count(spec.shape));
  }
  formats::SizeFitOptions options{
      .limits = {.model = wanted},
      .start = formats::FileForecast(checkpoint).strength(compressor, {.model = wanted}),
      .range = compressor.range(),
      .weights = weights};
  const SizeSearchResult found = formats::fitting_strength(sizes_at, options);
  CHECK(found.fits);
  const auto bytes = static_cast<double>(sizes_at(found.strength).model);
  CHECK(bytes <= wanted);
  CHECK(bytes > 0.9 * wanted);
  options.limits.model = 10.0;
  CHECK_FALSE(formats::fitting_strength(sizes_at, options).fits);
}
