#pragma once

#include <Eigen/Core>
#include <vector>

#include "compress/input_moments.h"

namespace ltz::compress {

using Square = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Row = Eigen::Matrix<double, 1, Eigen::Dynamic>;

struct GeometryOptions {
  double damping = 0.01;  // added to the diagonal of H, as a fraction of its mean
  bool centred = false;   // covariance instead of second moments
};

// H = mean of x x^T over a layer's inputs, its columns by falling diagonal, and what second-order
// methods make of it.
struct InputGeometry {
  std::vector<Eigen::Index> order;  // (columns): place -> column
  Square h;                         // damped, by place
  Square u;                         // upper Cholesky factor of its inverse: H^-1 = U^T U
};

// What is added to the diagonal of h, (columns, columns): a fraction of its mean; more where the
// inputs are nearly the same every time, so that what their mean left of h is the rounding of
// products in float32. mean: (columns), that was taken off; zero where none was.
double diagonal_damping(const Square& h, const Row& mean, double fraction);

// moments: of at least one input.
InputGeometry input_geometry(const InputMoments& moments, const GeometryOptions& options);

}  // namespace ltz::compress
