#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "model/checkpoint/config.h"
#include "model/checkpoint/tensor.h"
#include "model/kernels/matrix.h"
#include "model/kernels/packed_kernels.h"

namespace ltz {

// The matrix of a linear layer in the order in which products read it: panels of kPanel rows, and
// in a panel all rows' first columns, then all rows' second columns, and so on.
//
// Libraries rearrange both operands in every call. For large matrices that is little work, for the
// matrices of a narrow model it is not. GFLOP/s of one thread, 160 columns and 160 results, on an
// AMD Zen 3 (AVX2) with other work, where OpenBLAS makes 83 of a 2048 x 2048 product:
//
//              OpenBLAS 0.3.21   oneDNN 2.6   this
//     4 rows                25           34     95
//   256 rows                70           76     86
//
// A matrix of at most kMostCentroids centroids stays as it is, codes of 4 bits, where one
// instruction finds the centroids of 16 codes (AVX-512): they are looked up panel by panel into the
// first-level cache. Translating a single sentence is bound by reading the weights from memory, and
// codes are an eighth as large. Results are the same to the last bit.
class PackedMatrix {
 public:
  static constexpr int kPanel = packed::kPanel;
  static constexpr std::size_t kMostCentroids = packed::kMostCentroids;

  // weights: (out, in), row-major.
  PackedMatrix(std::span<const float> weights, int out, int in);
  // weights: of out x in elements, row-major; row scales, if any, are those of the out rows.
  PackedMatrix(const Tensor& weights, int out, int in);
  // Takes other values. weights: (out, in).
  void assign(std::span<const float> weights);
  // The weights as they were given. weights: (out, in).
  void unpack(MutableMatrixView weights) const;

  int out() const { return out_; }
  int in() const { return in_; }
  std::size_t size() const {
    return static_cast<std::size_t>(out_) * static_cast<std::size_t>(in_);
  }

  enum class Finish { kNone, kRelu };
  // y = finish(x W^T + bias) with W = the rows [first, first + y.cols()) of this matrix, first a
  // multiple of kPanel. x: (n, in). bias: as many as y has columns, or empty. Each result is a sum
  // in the order of the columns, whatever n is and however many threads there are.
  void multiply(MatrixView x, MutableMatrixView y, std::span<const float> bias = {},
                Finish finish = Finish::kNone, int first = 0) const;

 private:
  void assign(const QuantizedValues& weights);
  std::size_t padded_rows() const;  // whole panels

  int out_;
  int in_;
  std::vector<float> panels_;  // (ceil(out / kPanel), in, kPanel), zeros after the last row
  // Or instead: a byte has the codes of two neighbouring columns, the first one in its lower half.
  std::vector<std::uint8_t> codes_;  // (ceil(out / kPanel), ceil(in / 2), kPanel)
  std::array<float, kMostCentroids> centroids_{};
  std::vector<float> scales_;  // (ceil(out / kPanel), kPanel), zeros after the last row
};

}  // namespace ltz
