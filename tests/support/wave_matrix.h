#pragma once

#include <cmath>
#include <span>

#include "model/kernels/matrix.h"

// Matrices to multiply, the same on every machine.
namespace ltz {

// (rows, cols): values of a sine that goes on from row to row.
inline Matrix wave(int rows, int cols, float rate) {
  Matrix matrix(rows, cols);
  for (Eigen::Index i = 0; i < matrix.size(); ++i) {
    matrix.data()[i] = std::sin(rate * static_cast<float>(i) + 0.3f);
  }
  return matrix;
}

inline std::span<const float> values_of(const Matrix& matrix) {
  return {matrix.data(), static_cast<std::size_t>(matrix.size())};
}

}  // namespace ltz
