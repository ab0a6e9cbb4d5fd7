#include "compress/calibration/input_moments.h"

#include <algorithm>
#include <functional>

#include "model/base/blas.h"

namespace ltz::compress {

void add_products(MatrixView x, MatrixView y, std::vector<double>& sums) {
  const Matrix products = x.transpose() * y;
  sums.resize(static_cast<std::size_t>(products.size()));
  std::transform(products.data(), products.data() + products.size(), sums.begin(), sums.begin(),
                 std::plus<double>());
}

void InputMoments::add(MatrixView x) {
  const auto columns = static_cast<std::size_t>(x.cols());
  sum.resize(columns);
  count += x.rows();
  add_products(x, x, second);
  const RowVector sums = x.colwise().sum();
  std::transform(sums.data(), sums.data() + sums.size(), sum.begin(), sum.begin(),
                 [](float a, double b) { return a + b; });
}

void InputMoments::add(const InputMoments& other) {
  sum.resize(other.sum.size());
  second.resize(other.second.size());
  count += other.count;
  std::ranges::transform(sum, other.sum, sum.begin(), std::plus());
  std::ranges::transform(second, other.second, second.begin(), std::plus());
}

}  // namespace ltz::compress
