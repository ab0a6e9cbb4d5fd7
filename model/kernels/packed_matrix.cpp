#include "model/kernels/packed_matrix.h"

#include <algorithm>

#include "model/base/assert.h"
#include "model/base/parallel.h"

namespace ltz {
namespace {

// Rows of x that are multiplied with all panels before the next ones, so that they stay in the
// second-level cache; a multiple of every tile's rows.
int rows_in_cache(int depth) {
  constexpr int kFloats = 48 * 1024;
  constexpr int kTiles = 24;
  return std::max(2 * kTiles, kFloats / std::max(depth, 1) / kTiles * kTiles);
}

}  // namespace

PackedMatrix::PackedMatrix(std::span<const float> weights, int out, int in) : out_(out), in_(in) {
  assign(weights);
}

PackedMatrix::PackedMatrix(const Tensor& weights, int out, int in) : out_(out), in_(in) {
  const auto* quantized = std::get_if<QuantizedValues>(&weights.data);
  if (packed::can_look_up() && quantized != nullptr &&
      quantized->centroids.size() <= kMostCentroids) {
    assign(*quantized);
  } else {
    assign(weights.values());
  }
}

std::size_t PackedMatrix::padded_rows() const {
  return (static_cast<std::size_t>(out_) + kPanel - 1) / kPanel * kPanel;
}

void PackedMatrix::assign(std::span<const float> weights) {
  LTZ_ASSERT(weights.size() == size());
  const auto in = static_cast<std::size_t>(in_);
  codes_.clear();
  panels_.resize(padded_rows() * in);
  for (std::size_t row = 0; row < static_cast<std::size_t>(out_); ++row) {
    const float* from = weights.data() + row * in;
    float* to = panels_.data() + row / kPanel * kPanel * in + row % kPanel;
    for (std::size_t column = 0; column < in; ++column) {
      to[column * kPanel] = from[column];
    }
  }
}

void PackedMatrix::assign(const QuantizedValues& weights) {
  const auto in = static_cast<std::size_t>(in_);
  const std::size_t pairs = (in + 1) / 2;
  codes_.resize(padded_rows() * pairs);
  scales_.resize(padded_rows());
  std::ranges::copy(weights.centroids, centroids_.begin());
  for (std::size_t row = 0; row < static_cast<std::size_t>(out_); ++row) {
    scales_[row] = weights.row_scales.empty() ? 1.0f : row_scale(weights.row_scales[row]);
    const std::uint8_t* from = weights.codes.data() + row * in;
    std::uint8_t* to = codes_.data() + row / kPanel * kPanel * pairs + row % kPanel;
    for (std::size_t column = 0; column < in; ++column) {
      to[column / 2 * kPanel] |= static_cast<std::uint8_t>(from[column] << column % 2 * 4);
    }
  }
}

void PackedMatrix::unpack(MutableMatrixView weights) const {
  LTZ_ASSERT(weights.rows() == out_ && weights.cols() == in_);
  for (Eigen::Index row = 0; row < weights.rows(); ++row) {
    const Eigen::Index panel = row / kPanel * kPanel;
    for (Eigen::Index column = 0; column < weights.cols(); ++column) {
      if (codes_.empty()) {
        weights(row, column) = panels_[panel * in_ + column * kPanel + row % kPanel];
      } else {
        const int pair = codes_[panel * ((in_ + 1) / 2) + column / 2 * kPanel + row % kPanel];
        weights(row, column) = centroids_[(pair >> column % 2 * 4) & 15] * scales_[row];
      }
    }
  }
}

void PackedMatrix::multiply(MatrixView x, MutableMatrixView y, std::span<const float> bias,
                            Finish finish, int first) const {
  LTZ_ASSERT(x.cols() == in_ && x.rows() == y.rows());
  LTZ_ASSERT(first % kPanel == 0 && first + y.cols() <= out_);
  LTZ_ASSERT(bias.empty() || bias.size() == static_cast<std::size_t>(y.cols()));
  const auto rows = static_cast<int>(x.rows());
  const auto columns = static_cast<int>(y.cols());
  const auto panels = static_cast<std::size_t>((columns + kPanel - 1) / kPanel);
  const std::ptrdiff_t in = in_;
  const double work = static_cast<double>(x.rows()) * columns * in_;
  split_work(panels, work, [&](std::size_t begin, std::size_t end) {
    const auto column = static_cast<int>(begin) * kPanel;
    const int step = rows_in_cache(in_);
    packed::Codes codes{};
    if (!codes_.empty()) {
      codes = {codes_.data() + (first + column) * ((in + 1) / 2), centroids_.data(),
               scales_.data() + first + column};
    }
    for (int row = 0; row < rows; row += step) {
      packed::multiply({.x = x.data() + row * x.outerStride(),
                        .x_stride = x.outerStride(),
                        .panels = codes_.empty() ? panels_.data() + (first + column) * in : nullptr,
                        .codes = codes,
                        .depth = in,
                        .y = y.data() + row * y.outerStride() + column,
                        .y_stride = y.outerStride(),
                        .bias = bias.empty() ? nullptr : bias.data() + column,
                        .relu = finish == Finish::kRelu,
                        .rows = std::min(step, rows - row),
                        .columns = std::min(static_cast<int>(end) * kPanel, columns) - column});
    }
  });
}

}  // namespace ltz
