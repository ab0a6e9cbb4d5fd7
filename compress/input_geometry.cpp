#include "compress/input_geometry.h"

#include <Eigen/Cholesky>
#include <algorithm>
#include <functional>
#include <numeric>

namespace ltz::compress {

double diagonal_damping(const Square& h, const Row& mean, double fraction) {
  constexpr double kNoVariance = 1e-3;
  constexpr double kRounding = 1e-4;
  const double square = mean.squaredNorm();
  const double least = h.trace() < kNoVariance * square ? kRounding * square : 1e-12;
  return std::max(fraction * h.diagonal().mean(), least);
}

InputGeometry input_geometry(const InputMoments& moments, const GeometryOptions& options) {
  const Eigen::Index n = moments.columns();
  const auto count = static_cast<double>(moments.count);
  Square h = Eigen::Map<const Square>(moments.second.data(), n, n) / count;
  Row mean = Row::Zero(n);
  if (options.centred) {
    mean = Eigen::Map<const Row>(moments.sum.data(), n) / count;
    h -= mean.transpose() * mean;
  }
  InputGeometry geometry;
  geometry.order.resize(static_cast<std::size_t>(n));
  std::iota(geometry.order.begin(), geometry.order.end(), 0);
  std::ranges::stable_sort(geometry.order, std::greater(), [&](Eigen::Index i) { return h(i, i); });
  // An input that is always zero says nothing about its weights: the damping alone prices them.
  geometry.h = h(geometry.order, geometry.order);
  geometry.h.diagonal().array() += diagonal_damping(h, mean, options.damping);
  const Square inverse = geometry.h.llt().solve(Square::Identity(n, n));
  geometry.u = inverse.llt().matrixU();
  return geometry;
}

}  // namespace ltz::compress
