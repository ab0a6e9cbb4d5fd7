#include "model/checkpoint/tensor.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "model/base/error.h"
#include "tests/support/tiny_checkpoint.h"

namespace ltz {
namespace {

using Catch::Matchers::Contains;

}  // namespace

TEST_CASE("tensor: row scales are eighths of a doubling around one") {
  CHECK(row_scale(128) == 1.0f);
  CHECK(row_scale(136) == 2.0f);
  CHECK(row_scale(120) == 0.5f);
  CHECK(row_scale(0) == 0x1p-16f);
  CHECK(row_scale(132) == std::sqrt(2.0f));
  for (int code = 0; code < 256; ++code) {
    const float scale = row_scale(static_cast<std::uint8_t>(code));
    CHECK(scale == static_cast<float>(std::exp2((code - 128) / 8.0)));
    if (code > 0) {
      const double before = row_scale(static_cast<std::uint8_t>(code - 1));
      CHECK(scale / before == Approx(std::exp2(0.125)).epsilon(1e-6));
    }
  }
}

TEST_CASE("tensor: a row is the last dimension") {
  CHECK(row_count({}) == 1);
  CHECK(row_count({7}) == 1);
  CHECK(row_count({3, 5}) == 3);
  CHECK(row_count({2, 3, 5}) == 6);
  CHECK(row_count({3, 1}) == 3);
  CHECK(row_count({0}) == 0);
  CHECK(row_count({3, 0}) == 0);
  CHECK(row_count({0, 5}) == 0);
  CHECK_THROWS_AS(row_count({-1, 5}), FormatError);
}

TEST_CASE("tensor: an element is its centroid times the scale of its row") {
  const std::vector<float> centroids = {-0.1f, 0.0f, 0.7f};
  const auto values = [&](Shape shape, std::vector<std::uint8_t> codes,
                          std::vector<std::uint8_t> scales) {
    return Tensor{std::move(shape), QuantizedValues{centroids, std::move(codes), std::move(scales)}}
        .values();
  };
  CHECK(values({2, 2}, {0, 1, 2, 0}, {}) == std::vector{-0.1f, 0.0f, 0.7f, -0.1f});
  CHECK(values({2, 2}, {0, 1, 2, 0}, {128, 128}) == std::vector{-0.1f, 0.0f, 0.7f, -0.1f});
  CHECK(values({2, 2}, {0, 1, 2, 0}, {136, 120}) == std::vector{-0.2f, 0.0f, 0.35f, -0.05f});
  CHECK(values({2, 1, 1}, {2, 2}, {120, 136}) == std::vector{0.35f, 1.4f});
  CHECK(values({3}, {2, 1, 0}, {129}) ==
        std::vector{0.7f * row_scale(129), 0.0f, -0.1f * row_scale(129)});
  CHECK(values({}, {2}, {136}) == std::vector{1.4f});
  CHECK(values({0, 2}, {}, {}).empty());
}

TEST_CASE("tensor: a model's centroids are finite with the scales of all rows") {
  Checkpoint checkpoint = tiny_checkpoint(1);
  const std::string name = "encoder.layers.0.fc1.weight";  // (12, 8)
  QuantizedValues quantized{{-1.0f, 0x1p127f}, std::vector<std::uint8_t>(12 * 8, 0), {}};
  const auto check = [&](std::uint8_t scale) {
    quantized.row_scales.assign(12, 0);
    quantized.row_scales[7] = scale;
    checkpoint.tensors.at(name).data = quantized;
    validate(checkpoint);
  };
  CHECK_NOTHROW(check(128));
  CHECK_NOTHROW(check(135));
  CHECK_THROWS_AS(check(136), ConfigError);
  CHECK_THROWS_WITH(check(255), Contains("tensor " + name +
                                         ": expected finite values, found inf "
                                         "at centroid 1 times the largest row"));
}

}  // namespace ltz
