#include "compress/input_moments.h"

#include <algorithm>
#include <functional>

namespace ltz::compress {

void InputMoments::add(MatrixView x) {
  const auto columns = static_cast<std::size_t>(x.cols());
  sum.resize(columns);
  second.resize(columns * columns);
  count += x.rows();
  // Products of one batch in float32, sums over batches in double.
  const Matrix products = x.transpose() * x;
  const RowVector sums = x.colwise().sum();
  std::transform(sums.data(), sums.data() + sums.size(), sum.begin(), sum.begin(),
                 [](float a, double b) { return a + b; });
  std::transform(products.data(), products.data() + products.size(), second.begin(), second.begin(),
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
