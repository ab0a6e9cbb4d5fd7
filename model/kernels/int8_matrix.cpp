#include "model/kernels/int8_matrix.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "model/base/assert.h"
#include "model/base/parallel.h"
#include "model/kernels/int8_kernels.h"

namespace ltz {
namespace {

using int8::kGroup;
using int8::kPanel;
static_assert(kPanel == PackedMatrix::kPanel);
static_assert(QuantizedRows::kPadding % kGroup == 0);

constexpr float kLargest = 127.0f;

const int8::Kernel& best_kernel() {
  static const int8::Kernel& kBest = int8::kernels().front();
  return kBest;
}

// The step of a row of weights; not a number if one of them is none.
float step_of(std::span<const float> row) {
  float largest = 0.0f;
  for (const float weight : row) {
    if (!std::isfinite(weight)) {
      return std::numeric_limits<float>::quiet_NaN();
    }
    largest = std::max(largest, std::abs(weight));
  }
  return largest / kLargest;
}

// Rows of x that are multiplied with all panels before the next ones, so that they stay in the
// second-level cache; a multiple of a tile's rows.
int rows_in_cache(std::ptrdiff_t stride, int tile) {
  constexpr std::ptrdiff_t kBytes = 192 * 1024;
  constexpr int kTiles = 4;
  const auto rows = static_cast<int>(kBytes / std::max<std::ptrdiff_t>(stride, 1));
  return std::max(kTiles, rows / tile) * tile;
}

// y = the tile of these rows, of which the first `columns` columns are wanted.
void compute(const int8::Kernel& kernel, int8::Tile tile, int rows, int columns) {
  const int panels = (columns + kPanel - 1) / kPanel;
  const auto function = kernel.tile(panels, rows);
  if (columns == panels * kPanel) {
    function(tile);
    return;
  }
  float whole[16 * 2 * kPanel];
  float* y = tile.y;
  const std::ptrdiff_t stride = tile.y_stride;
  tile.y = whole;
  tile.y_stride = std::ptrdiff_t{panels} * kPanel;
  function(tile);
  for (int r = 0; r < rows; ++r) {
    std::copy_n(whole + r * tile.y_stride, columns, y + r * stride);
  }
}

}  // namespace

Int8Matrix::Int8Matrix(std::span<const float> weights, int out, int in)
    : out_(out), in_(in), groups_((in + kGroup - 1) / kGroup) {
  LTZ_ASSERT(in <= kMaxColumns);
  const auto rows = static_cast<std::size_t>((out + kPanel - 1) / kPanel * kPanel);
  panels_.resize(rows * static_cast<std::size_t>(groups_ * kGroup));
  steps_.resize(rows);
  sums_.resize(rows);
  assign(weights);
}

std::int8_t& Int8Matrix::weight(std::size_t row, std::size_t column) {
  const std::size_t group = row / kPanel * static_cast<std::size_t>(groups_) + column / kGroup;
  return panels_[(group * kPanel + row % kPanel) * kGroup + column % kGroup];
}

void Int8Matrix::assign(std::span<const float> weights) {
  const auto in = static_cast<std::size_t>(in_);
  LTZ_ASSERT(weights.size() == static_cast<std::size_t>(out_) * in);
  for (std::size_t row = 0; row < static_cast<std::size_t>(out_); ++row) {
    const std::span<const float> from = weights.subspan(row * in, in);
    steps_[row] = step_of(from);
    sums_[row] = 0;
    // A row of zeros, or of what is nearly that.
    const bool usable = steps_[row] >= std::numeric_limits<float>::min();
    for (std::size_t column = 0; column < in; ++column) {
      const float code = usable ? std::nearbyint(from[column] / steps_[row]) : 0.0f;
      weight(row, column) = static_cast<std::int8_t>(code);
      sums_[row] += static_cast<std::int32_t>(code);
    }
  }
}

void Int8Matrix::unpack(MutableMatrixView weights) const {
  LTZ_ASSERT(weights.rows() == out_ && weights.cols() == in_);
  for (Eigen::Index row = 0; row < weights.rows(); ++row) {
    for (Eigen::Index column = 0; column < weights.cols(); ++column) {
      const Eigen::Index group = row / kPanel * groups_ + column / kGroup;
      const Eigen::Index place = (group * kPanel + row % kPanel) * kGroup + column % kGroup;
      weights(row, column) = static_cast<float>(panels_[static_cast<std::size_t>(place)]) *
                             steps_[static_cast<std::size_t>(row)];
    }
  }
}

void Int8Matrix::multiply(const QuantizedRows::View& x, MutableMatrixView y,
                          std::span<const float> bias, PackedMatrix::Finish finish,
                          int first) const {
  LTZ_ASSERT(x.rows == y.rows() && x.stride >= groups_ * kGroup);
  LTZ_ASSERT(first % kPanel == 0 && first + y.cols() <= out_);
  LTZ_ASSERT(bias.empty() || bias.size() == static_cast<std::size_t>(y.cols()));
  const int8::Kernel& kernel = best_kernel();
  constexpr int kWidth = 2 * kPanel;
  const auto rows = static_cast<int>(y.rows());
  const auto columns = static_cast<int>(y.cols());
  const auto panels = static_cast<std::size_t>((columns + kWidth - 1) / kWidth);
  const int step = rows_in_cache(x.stride, kernel.rows);
  // Multiplications are shared as if a byte's took a quarter of the time.
  const double work = static_cast<double>(rows) * columns * in_ / kGroup;
  split_work(panels, work, [&](std::size_t begin, std::size_t end) {
    const int last = std::min(static_cast<int>(end) * kWidth, columns);
    for (int block = 0; block < rows; block += step) {
      const int block_end = std::min(block + step, rows);
      for (int column = static_cast<int>(begin) * kWidth; column < last; column += kWidth) {
        const int wanted = std::min(kWidth, last - column);
        const auto place = static_cast<std::size_t>(first + column);
        float biases[kWidth] = {};
        if (!bias.empty()) {
          std::copy_n(bias.begin() + column, wanted, biases);
        }
        for (int row = block; row < block_end; row += kernel.rows) {
          compute(
              kernel,
              {.x = x.bytes + row * x.stride,
               .x_stride = x.stride,
               .scales = x.scales + std::ptrdiff_t{2} * row,
               .weights = panels_.data() + static_cast<std::ptrdiff_t>(place) * groups_ * kGroup,
               .groups = groups_,
               .weight_steps = steps_.data() + place,
               .weight_sums = sums_.data() + place,
               .bias = biases,
               .y = y.data() + row * y.outerStride() + column,
               .y_stride = y.outerStride(),
               .relu = finish == PackedMatrix::Finish::kRelu},
              std::min(kernel.rows, block_end - row), wanted);
        }
      }
    }
  });
}

}  // namespace ltz
