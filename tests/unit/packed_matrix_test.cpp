#include "model/packed_matrix.h"

#include <omp.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <vector>

#include "wave_matrix.h"

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
  omp_set_num_threads(1);
  const Matrix all = product(packed, x);
  omp_set_num_threads(3);
  CHECK(product(packed, x) == all);
  for (const int row : {0, 57, 100}) {
    const Matrix alone = x.row(row);
    CHECK(product(packed, alone) == all.row(row));
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
