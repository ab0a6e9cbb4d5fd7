#pragma once

#include <cstdint>
#include <vector>

#include "model/kernels/matrix.h"

namespace ltz::compress {

// sums += x^T y, (columns of x, columns of y), row-major; empty sums are zero. The products of one
// batch are added up in float32, batches in double. x, y: (inputs, columns).
void add_products(MatrixView x, MatrixView y, std::vector<double>& sums);

// What a calibration text says about the inputs x of a linear layer, (columns) each.
struct InputMoments {
  std::int64_t count = 0;
  std::vector<double> sum;     // (columns): sum of x
  std::vector<double> second;  // (columns, columns), row-major: sum of x x^T

  // x: (inputs, columns), of the same width every time.
  void add(MatrixView x);
  void add(const InputMoments& other);
  std::int64_t columns() const { return static_cast<std::int64_t>(sum.size()); }
};

}  // namespace ltz::compress
