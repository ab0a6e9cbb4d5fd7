#include "model/kernels/packed_matrix.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <vector>

#include "tests/support/thread_count.h"
#include "tests/support/wave_matrix.h"

namespace ltz {
namespace {

Matrix product(const PackedMatrix& matrix, const Matrix& x) {
  Matrix y(x.rows(), matrix.out());
  matrix.multiply(x, y);
  return y;
}

}  // namespace

TEST_CASE("a packed matrix multiplies like any other, whatever the sizes") {
  const int rows = GENERATE(0, 1, 2, 5, 6, 7, 8, 13, 50);
  const int out = GENERATE(1, 4, 15, 16, 17, 33, 80);
  const int in = GENERATE(1, 3, 40);
  CAPTURE(rows, out, in);
  const Matrix x = wave(rows, in, 0.7f);
  const Matrix weights = wave(out, in, 1.3f);
  const PackedMatrix packed(values_of(weights), out, in);
  const Matrix bias = wave(1, out, 2.1f);
  Matrix y(rows, out);
  packed.multiply(x, y, values_of(bias));
  const Matrix expected =
      (x.cast<double>() * weights.cast<double>().transpose()).cast<float>().rowwise() + bias.row(0);
  CHECK((y - expected).cwiseAbs().sum() <= 1e-4f * static_cast<float>(rows * out));
  packed.multiply(x, y, values_of(bias), PackedMatrix::Finish::kRelu);
  CHECK((y - expected.cwiseMax(0.0f)).cwiseAbs().sum() <= 1e-4f * static_cast<float>(rows * out));
}

TEST_CASE("a product writes its own columns only, and may be a part of the matrix") {
  const Matrix x = wave(9, 12, 0.7f);
  const Matrix weights = wave(70, 12, 1.3f);
  const PackedMatrix packed(values_of(weights), 70, 12);
  const Matrix all = product(packed, x);
  Matrix wide = Matrix::Constant(9, 50, 7.0f);
  packed.multiply(x, wide.middleCols(3, 38), {}, PackedMatrix::Finish::kNone, 32);
  CHECK(wide.middleCols(3, 38) == all.rightCols(38));
  CHECK((wide.leftCols(3).array() == 7.0f).all());
  CHECK((wide.rightCols(9).array() == 7.0f).all());
  // A part of the columns of x.
  const Matrix padded = wave(9, 20, 0.9f);
  const Matrix inner = padded.middleCols(5, 12);
  Matrix y(9, 70);
  packed.multiply(padded.middleCols(5, 12), y);
  CHECK(y == product(packed, inner));
}

TEST_CASE("a row's product depends neither on the other rows nor on the threads") {
  const Matrix x = wave(101, 300, 0.7f);
  const Matrix weights = wave(90, 300, 1.3f);  // so many that it is worth sharing
  const PackedMatrix packed(values_of(weights), 90, 300);
  const Matrix all = on_threads(1, [&] { return product(packed, x); });
  CHECK(on_threads(3, [&] { return product(packed, x); }) == all);
  for (const int row : {0, 57, 100}) {
    const Matrix alone = x.row(row);
    CHECK(product(packed, alone) == all.row(row));
  }
}

TEST_CASE("products of codes are those of the weights, to the last bit") {
  const int rows = GENERATE(1, 4, 9, 60);
  const int out = GENERATE(1, 16, 33, 80);
  const int in = GENERATE(1, 2, 39, 500);
  CAPTURE(rows, out, in);
  for (const std::size_t k : {1u, 5u, 16u, 17u}) {
    for (const bool scaled : {false, true}) {
      QuantizedValues quantized;
      for (std::size_t j = 0; j < k; ++j) {
        quantized.centroids.push_back(0.37f * static_cast<float>(j) - 1.3f);
      }
      for (int i = 0; i < out * in; ++i) {
        quantized.codes.push_back(static_cast<std::uint8_t>((i * 7 + i / 5) % static_cast<int>(k)));
      }
      for (int i = 0; scaled && i < out; ++i) {
        quantized.row_scales.push_back(static_cast<std::uint8_t>(100 + i % 50));
      }
      const Tensor tensor{{out, in}, quantized};
      const std::vector<float> values = tensor.values();
      PackedMatrix coded(tensor, out, in);
      PackedMatrix plain(values, out, in);
      const Matrix x = wave(rows, in, 0.7f);
      CHECK(product(coded, x) == product(plain, x));
      Matrix weights(out, in);
      coded.unpack(weights);
      CHECK(std::ranges::equal(values_of(weights), values));
      // Other values need not be codes.
      coded.assign(std::vector<float>(values.size(), 0.25f));
      plain.assign(std::vector<float>(values.size(), 0.25f));
      CHECK(product(coded, x) == product(plain, x));
    }
  }
}

TEST_CASE("a packed matrix takes other values, and what is not a number stays visible") {
  Matrix weights = wave(17, 5, 1.3f);
  PackedMatrix packed(values_of(weights), 17, 5);
  weights *= 2.0f;
  packed.assign(values_of(weights));
  Matrix x = wave(2, 5, 0.7f);
  CHECK(product(packed, x) == product(PackedMatrix(values_of(weights), 17, 5), x));
  x(1, 0) = std::numeric_limits<float>::quiet_NaN();
  Matrix y(2, 17);
  packed.multiply(x, y, {}, PackedMatrix::Finish::kRelu);
  CHECK(y.row(0).allFinite());
  CHECK(y.row(1).array().isNaN().all());
}

}  // namespace ltz
