#include "compress/calibration/input_geometry.h"

#include <Eigen/Cholesky>
#include <algorithm>
#include <functional>
#include <numeric>

#include "model/base/blas.h"

namespace ltz::compress {

DampedMoments damped_moments(const InputMoments& moments, const GeometryOptions& options) {
  const Eigen::Index n = moments.columns();
  const auto count = static_cast<double>(moments.count);
  DampedMoments damped{.h = Eigen::Map<const Square>(moments.second.data(), n, n) / count,
                       .mean = Row::Zero(n)};
  if (options.centred) {
    damped.mean = Eigen::Map<const Row>(moments.sum.data(), n) / count;
    damped.h -= damped.mean.transpose() * damped.mean;
  }
  constexpr double kNoVariance = 1e-3;
  constexpr double kRounding = 1e-4;
  const double square = damped.mean.squaredNorm();
  const double least = damped.h.trace() < kNoVariance * square ? kRounding * square : 1e-12;
  damped.damping = std::max(options.damping * damped.h.diagonal().mean(), least);
  return damped;
}

InputGeometry input_geometry(const InputMoments& moments, const GeometryOptions& options) {
  const Eigen::Index n = moments.columns();
  const auto [h, mean, damping] = damped_moments(moments, options);
  InputGeometry geometry;
  geometry.order.resize(static_cast<std::size_t>(n));
  std::iota(geometry.order.begin(), geometry.order.end(), 0);
  std::ranges::stable_sort(geometry.order, std::greater(),
                           [&h = h](Eigen::Index i) { return h(i, i); });
  // An input that is always zero says nothing about its weights: only the damping prices them.
  geometry.h = h(geometry.order, geometry.order);
  geometry.h.diagonal().array() += damping;
  const Square inverse = geometry.h.llt().solve(Square::Identity(n, n));
  geometry.u = inverse.llt().matrixU();
  return geometry;
}

}  // namespace ltz::compress
