#include "compress/codebooks/quantize.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

#include "model/base/error.h"

using namespace ltz;
using namespace ltz::compress;

namespace {

// Differing values in (-1, 1), every third one zero if `pruned`.
std::vector<float> ramp(int count, bool pruned) {
  std::vector<float> values;
  for (int i = 0; i < count; ++i) {
    const float value = static_cast<float>(2 * i + 1 - count) / static_cast<float>(count);
    values.push_back(pruned && i % 3 == 0 ? 0.0f : value * std::abs(value));
  }
  return values;
}

Tensor as_tensor(const std::vector<float>& values) {
  return dense_tensor({static_cast<std::int64_t>(values.size())}, values);
}

const QuantizedValues& quantized_values(const Tensor& tensor) {
  return std::get<QuantizedValues>(tensor.data);
}

}  // namespace

TEST_CASE("the pruned set is the same before and after quantization") {
  for (const bool pruned : {false, true}) {
    const std::vector<float> values = ramp(301, pruned);
    for (int bits = 1; bits <= 8; ++bits) {
      for (const KMeansInit init :
           {KMeansInit::kLinear, KMeansInit::kDensity, KMeansInit::kOptimal}) {
        const Tensor tensor = quantize(as_tensor(values), {.bits = bits, .init = init});
        CHECK(mask_of(tensor.values()) == mask_of(values));
        CHECK(quantized_values(tensor).centroids.size() <= 1u << bits);
      }
    }
  }
}

TEST_CASE("centroids are distinct ascending float16 numbers, all in use") {
  const Tensor tensor = quantize(as_tensor(ramp(2000, true)), {.bits = 7});
  const QuantizedValues& quantized = quantized_values(tensor);
  CHECK(std::ranges::adjacent_find(quantized.centroids, std::greater_equal<>()) ==
        quantized.centroids.end());
  for (std::size_t j = 0; j < quantized.centroids.size(); ++j) {
    CHECK(round_to_float16(quantized.centroids[j]) == quantized.centroids[j]);
    CHECK(std::ranges::count(quantized.codes, j) > 0);
  }
}

TEST_CASE("every element has the nearest of the centroids that it may have") {
  const std::vector<float> values = ramp(500, true);
  const QuantizedValues quantized = quantized_values(quantize(as_tensor(values), {.bits = 4}));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const float distance = std::abs(values[i] - quantized.centroids[quantized.codes[i]]);
    for (const float centroid : quantized.centroids) {
      if (values[i] != 0.0f && centroid != 0.0f) {
        REQUIRE(distance <= std::abs(values[i] - centroid) + 1e-7f);
      }
    }
  }
}

TEST_CASE("centroids that float16 makes equal are merged") {
  const std::vector<float> values{1.0f, 1.00001f, 1.00002f, 2.0f};
  const QuantizedValues quantized = quantized_values(quantize(as_tensor(values), {.bits = 2}));
  CHECK(quantized.centroids == std::vector<float>{1.0f, 2.0f});
  CHECK(quantized.codes == std::vector<std::uint8_t>{0, 0, 0, 1});
}

TEST_CASE("weights too small for float16 do not become pruned") {
  const std::vector<float> values{1e-12f, -1e-12f, 0.0f, 0.5f};
  const QuantizedValues quantized = quantized_values(quantize(as_tensor(values), {.bits = 4}));
  CHECK(quantized.centroids == std::vector<float>{-0x1p-24f, 0.0f, 0x1p-24f, 0.5f});
  CHECK(quantized.codes == std::vector<std::uint8_t>{2, 0, 1, 3});
}

TEST_CASE("quantizing nothing, one element, equal elements, only zeros") {
  CHECK(quantized_values(quantize(as_tensor({}), {})) == QuantizedValues{});
  CHECK(quantized_values(quantize(as_tensor({0.25f}), {})) == QuantizedValues{{0.25f}, {0}});
  CHECK(quantized_values(quantize(as_tensor({0.5f, 0.5f}), {.bits = 1})) ==
        QuantizedValues{{0.5f}, {0, 0}});
  CHECK(quantized_values(quantize(as_tensor({0.0f, -0.0f}), {.bits = 1})) ==
        QuantizedValues{{0.0f}, {0, 0}});
  CHECK(quantized_values(quantize(as_tensor({0.0f, 1.0f, 3.0f}), {.bits = 1})) ==
        QuantizedValues{{0.0f, 2.0f}, {0, 1, 1}});
}

TEST_CASE("quantizing twice changes nothing") {
  const Tensor once = quantize(as_tensor(ramp(400, true)), {.bits = 5});
  CHECK(quantize(once, {.bits = 5}) == once);
}

TEST_CASE("quantization refuses bad bits and numbers out of range") {
  CHECK_THROWS_AS(quantize(as_tensor({1.0f}), {.bits = 0}), ConfigError);
  CHECK_THROWS_AS(quantize(as_tensor({1.0f}), {.bits = 9}), ConfigError);
  CHECK_THROWS_AS(quantize(as_tensor({1.0f, 70000.0f}), {}), ConfigError);
  CHECK_THROWS_AS(quantize(as_tensor({std::nanf("")}), {}), ConfigError);
  CHECK_THROWS_AS(to_float16(as_tensor({1e30f})), ConfigError);
  CHECK_THROWS_AS(to_float16(as_tensor({std::nanf("")})), ConfigError);
}

TEST_CASE("float16 tensors hold rounded elements") {
  CHECK(to_float16(as_tensor({0.1f, 2.0f})) ==
        dense_tensor({2}, {round_to_float16(0.1f), 2.0f}, Precision::kFloat16));
  CHECK(to_float16(Tensor{{2}, QuantizedValues{{0.5f, 1.0f}, {1, 0}}}) ==
        dense_tensor({2}, {1.0f, 0.5f}, Precision::kFloat16));
}

TEST_CASE("the entropy of codes") {
  CHECK(code_entropy({}) == 0.0);
  CHECK(code_entropy({{1.0f}, {0, 0, 0}}) == 0.0);
  CHECK(code_entropy({{1.0f, 2.0f}, {0, 1, 1, 0}}) == Approx(1.0));
  CHECK(code_entropy({{1.0f, 2.0f, 3.0f}, {0, 0, 1, 2}}) == Approx(1.5));
}

TEST_CASE("only matrices and tables of enough elements are worth a codebook") {
  ParameterSpec spec{"w", {32, 32}, Stack::kEncoder, 0, Component::kFeedForward, Role::kMatrix};
  CHECK(worth_quantizing(spec, 8));
  spec.shape = {32, 31};
  CHECK_FALSE(worth_quantizing(spec, 8));
  CHECK(worth_quantizing(spec, 7));
  spec.role = Role::kTable;
  CHECK(worth_quantizing(spec, 7));
  for (const Role role : {Role::kKernel, Role::kBias, Role::kGain}) {
    spec.role = role;
    CHECK_FALSE(worth_quantizing(spec, 1));
  }
}
