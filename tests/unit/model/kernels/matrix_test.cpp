#include "model/kernels/matrix.h"

#include <catch2/catch.hpp>
#include <type_traits>
#include <utility>

namespace ltz {
namespace {

template <typename Expression>
constexpr bool kViewable = std::is_convertible_v<Expression, MatrixView>;

using ColumnMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic>;
using Constant = const Matrix&;

static_assert(kViewable<Constant>);
static_assert(kViewable<MutableMatrixView>);
static_assert(kViewable<Eigen::Map<const Matrix>>);
static_assert(kViewable<decltype(std::declval<Constant>().middleCols(0, 1))>);
static_assert(kViewable<decltype(std::declval<Constant>().middleRows(0, 1))>);
static_assert(kViewable<decltype(std::declval<Constant>().row(0))>);
static_assert(kViewable<const RowVector&>);
// What Eigen would copy.
static_assert(!kViewable<const ColumnMajor&>);
static_assert(!kViewable<decltype(std::declval<Constant>().transpose())>);
static_assert(!kViewable<decltype(std::declval<Constant>().col(0))>);
static_assert(!kViewable<decltype(std::declval<Constant>() + std::declval<Constant>())>);
static_assert(!kViewable<decltype(Matrix::Zero(1, 1))>);

}  // namespace

TEST_CASE("a view points into the matrix that it is made from, and so do copies of it") {
  Matrix matrix = Matrix::Zero(4, 6);
  const MatrixView part = matrix.block(1, 2, 2, 3);
  matrix(2, 4) = 7.0f;
  CHECK(part(1, 2) == 7.0f);
  CHECK(part.outerStride() == 6);
  CHECK(row_of(part, 1).data() == &matrix(2, 2));
  CHECK(row_of(part, 1).size() == 3);
  const auto place = [](MatrixView copy) { return copy.data(); };
  CHECK(place(part) == &matrix(1, 2));
}

}  // namespace ltz
