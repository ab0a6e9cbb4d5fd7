#include "compress/calibration/original_targets.h"

#include <Eigen/Cholesky>
#include <algorithm>

#include "model/base/blas.h"

namespace ltz::compress {

std::vector<float> original_targets(std::span<const float> weights, const InputMoments& original,
                                    const PairedMoments& pairs, const GeometryOptions& options) {
  const Eigen::Index n = pairs.inputs.columns();
  const auto rows = static_cast<Eigen::Index>(weights.size()) / n;
  const auto count = static_cast<double>(pairs.inputs.count);
  DampedMoments y = damped_moments(pairs.inputs, options);
  Square cross = Eigen::Map<const Square>(pairs.cross.data(), n, n) / count;
  if (options.centred) {
    const Row x = Eigen::Map<const Row>(original.sum.data(), n) / count;
    cross -= x.transpose() * y.mean;
  }
  y.h.diagonal().array() += y.damping;
  cross.diagonal().array() += y.damping;
  const Square w = Eigen::Map<const Matrix>(weights.data(), rows, n).cast<double>();
  // W* H = W C, with H symmetric.
  const Square targets = y.h.llt().solve((w * cross).transpose()).transpose();
  std::vector<float> result(weights.size());
  std::transform(targets.data(), targets.data() + targets.size(), result.begin(),
                 [](double value) { return static_cast<float>(value); });
  return result;
}

}  // namespace ltz::compress
