#pragma once

#include <Eigen/Core>
#include <span>

namespace ltz {

// Row-major, one row a token: (tokens, channels).
using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using RowVector = Eigen::Matrix<float, 1, Eigen::Dynamic>;

// Views: rows of one matrix, possibly some of its columns only.
using MutableMatrixView = Eigen::Ref<Matrix, 0, Eigen::OuterStride<>>;

// Eigen's own view of constants copies what it cannot point into, without a word. This one does not
// compile then: what it is made from is row-major and in memory, each row without gaps.
class MatrixView : public Eigen::Ref<const Matrix, 0, Eigen::OuterStride<>> {
 public:
  template <typename Derived>
  requires((Derived::Flags & Eigen::DirectAccessBit) != 0 &&
           (Derived::Flags & Eigen::RowMajorBit) != 0 && Derived::InnerStrideAtCompileTime == 1)
      MatrixView(const Eigen::DenseBase<Derived>& matrix)
      : Ref(matrix) {}
};

inline std::span<float> row_of(MutableMatrixView& matrix, Eigen::Index row) {
  return {matrix.data() + row * matrix.outerStride(), static_cast<std::size_t>(matrix.cols())};
}

inline std::span<const float> row_of(const MatrixView& matrix, Eigen::Index row) {
  return {matrix.data() + row * matrix.outerStride(), static_cast<std::size_t>(matrix.cols())};
}

}  // namespace ltz
