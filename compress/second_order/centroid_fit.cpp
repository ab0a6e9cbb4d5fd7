#include "compress/second_order/centroid_fit.h"

#include <Eigen/Cholesky>
#include <algorithm>

#include "model/base/blas.h"
#include "model/base/parallel.h"

namespace ltz::compress {

std::vector<double> fit_centroids(const Square& weights, std::span<const std::int16_t> slots,
                                  std::size_t count, const Square& h,
                                  std::span<const double> row_weights) {
  const Eigen::Index rows = weights.rows();
  const Eigen::Index columns = weights.cols();
  const auto k = static_cast<Eigen::Index>(count);
  // First over blocks of rows, then over the blocks in order.
  constexpr Eigen::Index kBlock = 64;
  const auto blocks = static_cast<std::size_t>((rows + kBlock - 1) / kBlock);
  std::vector<Square> left(blocks, Square::Zero(k, k));
  std::vector<Row> right(blocks, Row::Zero(k));
  parallel_for(blocks, [&](std::size_t block) {
    const auto begin = static_cast<Eigen::Index>(block) * kBlock;
    Square ph(k, columns);
    for (Eigen::Index r = begin; r < std::min(rows, begin + kBlock); ++r) {
      const double weight = row_weights[static_cast<std::size_t>(r)];
      const std::int16_t* row = slots.data() + r * columns;
      ph.setZero();
      for (Eigen::Index i = 0; i < columns; ++i) {
        if (row[i] >= 0) {
          ph.row(row[i]) += h.row(i);
        }
      }
      for (Eigen::Index i = 0; i < columns; ++i) {
        if (row[i] >= 0) {
          left[block].col(row[i]) += weight * ph.col(i);
        }
      }
      right[block] += weight * (weights.row(r) * ph.transpose());
    }
  });
  Square l = Square::Zero(k, k);
  Row b = Row::Zero(k);
  for (std::size_t block = 0; block < blocks; ++block) {
    l += left[block];
    b += right[block];
  }
  const Row fitted = l.ldlt().solve(b.transpose()).transpose();
  return {fitted.begin(), fitted.end()};
}

}  // namespace ltz::compress
