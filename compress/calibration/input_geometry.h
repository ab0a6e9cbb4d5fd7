#pragma once

#include <Eigen/Core>
#include <vector>

#include "compress/calibration/input_moments.h"

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

struct DampedMoments {
  Square h;              // mean of x x^T, by column
  Row mean;              // (columns), that was taken off; zero if not centred
  double damping = 0.0;  // to be added to the diagonal of h
};

// The damping is a fraction of the diagonal's mean; more where the inputs are nearly the same every
// time, so that what their mean left of h is the rounding of products in float32. moments: of at
// least one input.
DampedMoments damped_moments(const InputMoments& moments, const GeometryOptions& options);

// moments: of at least one input.
InputGeometry input_geometry(const InputMoments& moments, const GeometryOptions& options);

}  // namespace ltz::compress
