#include "model/kernels/int8_matrix.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <vector>

#include "model/kernels/int8_kernels.h"
#include "tests/support/thread_count.h"
#include "tests/support/wave_matrix.h"

namespace ltz {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNotANumber = std::numeric_limits<float>::quiet_NaN();

Matrix product(const Int8Matrix& matrix, const Matrix& x) {
  const QuantizedRows rows(x);
  Matrix y(x.rows(), matrix.out());
  matrix.multiply(rows.view(), y);
  return y;
}

Matrix unpacked(const Int8Matrix& matrix) {
  Matrix weights(matrix.out(), matrix.in());
  matrix.unpack(weights);
  return weights;
}

// What the bytes stand for.
Matrix values_of(const QuantizedRows& rows, Eigen::Index cols) {
  const QuantizedRows::View view = rows.view();
  Matrix values(view.rows, cols);
  for (Eigen::Index r = 0; r < values.rows(); ++r) {
    for (Eigen::Index c = 0; c < cols; ++c) {
      values(r, c) = view.scales[2 * r] *
                     (static_cast<float>(view.bytes[r * view.stride + c]) - view.scales[2 * r + 1]);
    }
  }
  return values;
}

// Bytes, codes and scales of an operand each, chosen without any quantization: (rows, groups * 4)
// times (panels * 16, groups * 4).
struct Operands {
  std::vector<std::uint8_t> x;
  std::vector<float> scales;
  std::vector<std::int8_t> weights;
  std::vector<float> steps;
  std::vector<std::int32_t> sums;
  std::vector<float> bias;
};

Operands extreme_operands(int rows, int panels, int groups) {
  Operands o;
  const int depth = groups * int8::kGroup;
  const int out = panels * int8::kPanel;
  for (int i = 0; i < rows * depth; ++i) {
    o.x.push_back(static_cast<std::uint8_t>(i % 3 == 0 ? 255 : 37 * i));
  }
  for (int r = 0; r < rows; ++r) {
    o.scales.insert(o.scales.end(),
                    {0.01f * static_cast<float>(r + 1), static_cast<float>(20 * r)});
  }
  for (int i = 0; i < out * depth; ++i) {
    o.weights.push_back(static_cast<std::int8_t>(i % 3 == 0 ? (i % 2 == 0 ? 127 : -127) : 91 * i));
  }
  for (int j = 0; j < out; ++j) {
    std::int32_t sum = 0;
    for (int k = 0; k < depth; ++k) {
      sum += o.weights[static_cast<std::size_t>(
          ((j / int8::kPanel * groups + k / int8::kGroup) * int8::kPanel + j % int8::kPanel) *
              int8::kGroup +
          k % int8::kGroup)];
    }
    o.sums.push_back(sum);
    o.steps.push_back(0.001f * static_cast<float>(j + 1));
    o.bias.push_back(std::sin(static_cast<float>(j)));
  }
  return o;
}

std::vector<float> compute(const int8::Kernel& kernel, const Operands& o, int rows, int panels,
                           int groups) {
  const std::ptrdiff_t width = panels * int8::kPanel;
  std::vector<float> y(static_cast<std::size_t>(rows * width));
  const std::ptrdiff_t depth = std::ptrdiff_t{groups} * int8::kGroup;
  for (int row = 0; row < rows; row += kernel.rows) {
    const int count = std::min(kernel.rows, rows - row);
    kernel.tile(panels, count)({.x = o.x.data() + row * depth,
                                .x_stride = depth,
                                .scales = o.scales.data() + std::ptrdiff_t{2} * row,
                                .weights = o.weights.data(),
                                .groups = groups,
                                .weight_steps = o.steps.data(),
                                .weight_sums = o.sums.data(),
                                .bias = o.bias.data(),
                                .y = y.data() + row * width,
                                .y_stride = width,
                                .relu = false});
  }
  return y;
}

std::vector<float> plain(const Operands& o, int rows, int panels, int groups) {
  std::vector<float> y;
  for (int r = 0; r < rows; ++r) {
    const auto row = static_cast<std::size_t>(r);
    for (int j = 0; j < panels * int8::kPanel; ++j) {
      const auto column = static_cast<std::size_t>(j);
      std::int64_t sum = 0;
      for (int k = 0; k < groups * int8::kGroup; ++k) {
        const int group = j / int8::kPanel * groups + k / int8::kGroup;
        const int place =
            (group * int8::kPanel + j % int8::kPanel) * int8::kGroup + k % int8::kGroup;
        sum += (std::int64_t{o.x[static_cast<std::size_t>(r * groups * int8::kGroup + k)]} -
                static_cast<std::int64_t>(o.scales[2 * row + 1])) *
               o.weights[static_cast<std::size_t>(place)];
      }
      // Rounded after every operation: what is contracted to one would differ.
      volatile float scaled = static_cast<float>(sum) * o.scales[2 * row];
      scaled = scaled * o.steps[column];
      y.push_back(scaled + o.bias[column]);
    }
  }
  return y;
}

}  // namespace

TEST_CASE("every instruction set makes the same sums of bytes, exactly", "[int8]") {
  const int rows = GENERATE(1, 2, 3, 4, 5, 11, 12, 13, 25);
  const int panels = GENERATE(1, 2);
  const int groups = GENERATE(1, 3, 40);
  const Operands operands = extreme_operands(rows, panels, groups);
  const std::vector<float> expected = plain(operands, rows, panels, groups);
  for (const int8::Kernel& kernel : int8::kernels()) {
    CAPTURE(kernel.name, rows, panels, groups);
    CHECK(compute(kernel, operands, rows, panels, groups) == expected);
  }
}

TEST_CASE("rows as bytes are half a step from what they were, and zeros stay zeros", "[int8]") {
  const int cols = GENERATE(1, 3, 15, 16, 17, 40);
  Matrix x = wave(6, cols, 0.7f);
  x.row(1) = x.row(1).cwiseMax(0.0f);
  x.row(2) = x.row(2).cwiseMin(0.0f) * 1e30f;
  x.row(3).array() += 5.0f;
  x.row(4) *= 1e-30f;
  x.row(5).setZero();
  x.col(0).head(5) = x.col(0).head(5).cwiseMin(0.0f);
  const QuantizedRows rows(x);
  const Matrix values = values_of(rows, cols);
  for (Eigen::Index r = 0; r < x.rows(); ++r) {
    CAPTURE(cols, r);
    const float range = std::max(x.row(r).maxCoeff(), 0.0f) - std::min(x.row(r).minCoeff(), 0.0f);
    CHECK((values.row(r) - x.row(r)).cwiseAbs().maxCoeff() <= 1.01f * range / 254.0f);
    CHECK(rows.view().scales[2 * r] <= 1.0001f * range / 254.0f);
    for (Eigen::Index c = 0; c < cols; ++c) {
      CHECK((x(r, c) != 0.0f || values(r, c) == 0.0f));
    }
  }
}

TEST_CASE("an int8 product is that of the bytes, whatever the sizes", "[int8]") {
  const int rows = GENERATE(0, 1, 2, 5, 12, 13, 50);
  const int out = GENERATE(1, 15, 16, 17, 33, 80);
  const int in = GENERATE(1, 3, 4, 18, 40);
  CAPTURE(rows, out, in);
  const Matrix x = wave(rows, in, 0.7f);
  const Int8Matrix matrix(values_of(wave(out, in, 1.3f)), out, in);
  const Matrix bias = wave(1, out, 2.1f);
  const QuantizedRows quantized(x);
  Matrix y(rows, out);
  matrix.multiply(quantized.view(), y, values_of(bias));
  const Matrix expected =
      (values_of(quantized, in).cast<double>() * unpacked(matrix).cast<double>().transpose())
          .cast<float>()
          .rowwise() +
      bias.row(0);
  CHECK((y - expected).cwiseAbs().sum() <= 1e-5f * static_cast<float>(rows * out));
  matrix.multiply(quantized.view(), y, values_of(bias), PackedMatrix::Finish::kRelu);
  CHECK((y - expected.cwiseMax(0.0f)).cwiseAbs().sum() <= 1e-5f * static_cast<float>(rows * out));
}

TEST_CASE("weights as bytes are half a step of their row from what they were", "[int8]") {
  Matrix weights = wave(5, 19, 1.3f);
  weights.row(1) *= 1e30f;
  weights.row(2) *= 1e-30f;
  weights.row(3).setZero();
  const Int8Matrix matrix(values_of(weights), 5, 19);
  const Matrix after = unpacked(matrix);
  for (Eigen::Index r = 0; r < 5; ++r) {
    CHECK((after.row(r) - weights.row(r)).cwiseAbs().maxCoeff() <=
          0.5001f * weights.row(r).cwiseAbs().maxCoeff() / 127.0f);
  }
  // They have values that bytes can have.
  CHECK(unpacked(Int8Matrix(values_of(after), 5, 19)).isApprox(after, 1e-6f));
}

TEST_CASE("an int8 product writes its own columns only, and may be a part of the matrix",
          "[int8]") {
  const Matrix x = wave(9, 12, 0.7f);
  const Int8Matrix matrix(values_of(wave(70, 12, 1.3f)), 70, 12);
  const Matrix all = product(matrix, x);
  Matrix wide = Matrix::Constant(9, 50, 7.0f);
  const QuantizedRows rows(x);
  matrix.multiply(rows.view(), wide.middleCols(3, 38), {}, PackedMatrix::Finish::kNone, 32);
  CHECK(wide.middleCols(3, 38) == all.rightCols(38));
  CHECK((wide.leftCols(3).array() == 7.0f).all());
  CHECK((wide.rightCols(9).array() == 7.0f).all());
  // Some of the rows, and a part of the columns of x.
  Matrix few(4, 70);
  matrix.multiply(rows.view().middle(5, 4), few);
  CHECK(few == all.bottomRows(4));
  Matrix padded = wave(9, 20, 0.9f);
  padded.middleCols(5, 12) = x;
  const QuantizedRows inner(padded.middleCols(5, 12));
  Matrix y(9, 70);
  matrix.multiply(inner.view(), y);
  CHECK(y == all);
}

TEST_CASE("a row's int8 product depends neither on the other rows nor on the threads", "[int8]") {
  const Matrix x = wave(401, 300, 0.7f);
  const Int8Matrix matrix(values_of(wave(90, 300, 1.3f)), 90, 300);  // worth sharing
  const Matrix all = on_threads(1, [&] { return product(matrix, x); });
  CHECK(on_threads(3, [&] { return product(matrix, x); }) == all);
  for (const int row : {0, 57, 400}) {
    const Matrix alone = x.row(row);
    CHECK(product(matrix, alone) == all.row(row));
  }
}

TEST_CASE("what is not a number stays visible in int8 products", "[int8]") {
  const float value = GENERATE(+kNotANumber, +kInfinity, -kInfinity);
  Matrix weights = wave(17, 20, 1.3f);
  const Matrix x = wave(3, 20, 0.7f);
  Matrix bad = x;
  bad(1, 18) = value;
  const Matrix good_product = product(Int8Matrix(values_of(weights), 17, 20), x);
  const QuantizedRows rows(bad);
  Matrix y(3, 17);
  Int8Matrix(values_of(weights), 17, 20).multiply(rows.view(), y, {}, PackedMatrix::Finish::kRelu);
  CHECK(y.row(0) == good_product.row(0).cwiseMax(0.0f));
  CHECK(y.row(1).array().isNaN().all());
  CHECK(y.row(2) == good_product.row(2).cwiseMax(0.0f));
  weights(5, 3) = value;
  y = product(Int8Matrix(values_of(weights), 17, 20), x);
  CHECK(y.col(5).array().isNaN().all());
  y.col(5) = good_product.col(5);
  CHECK(y == good_product);
}

TEST_CASE("an int8 matrix takes other values", "[int8]") {
  Matrix weights = wave(17, 5, 1.3f);
  Int8Matrix matrix(values_of(weights), 17, 5);
  weights.row(0) *= 2.0f;
  weights.row(1).setZero();
  matrix.assign(values_of(weights));
  const Matrix x = wave(2, 5, 0.7f);
  CHECK(product(matrix, x) == product(Int8Matrix(values_of(weights), 17, 5), x));
}

}  // namespace ltz
