#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/checkpoint/config.h"
#include "model/kernels/matrix.h"
#include "model/kernels/packed_matrix.h"
#include "model/kernels/quantized_rows.h"

namespace ltz {

// The matrix of a linear layer as signed bytes, with a step for each row: its largest magnitude is
// 127 steps. Products take bytes, too, and are sums of integers, so that results are the same with
// every instruction set: AVX512-VNNI, which is what makes this faster than floats, AVX2 or any. A
// row with what is not a number is none in any product.
//
// In memory, panels of 16 rows, and in a panel all rows' first four columns, then all rows' next
// four, and so on: what one instruction takes.
class Int8Matrix {
 public:
  // Columns that sums of 32 bits have room for: 2^31 / (255 * 127), rounded down.
  static constexpr int kMaxColumns = 1 << 16;

  // weights: (out, in), row-major. in: at most kMaxColumns.
  Int8Matrix(std::span<const float> weights, int out, int in);
  // Takes other values. weights: (out, in).
  void assign(std::span<const float> weights);
  // The weights that products are made with. weights: (out, in).
  void unpack(MutableMatrixView weights) const;

  int out() const { return out_; }
  int in() const { return in_; }

  // As PackedMatrix::multiply, of as many rows as y has.
  void multiply(const QuantizedRows::View& x, MutableMatrixView y, std::span<const float> bias = {},
                PackedMatrix::Finish finish = PackedMatrix::Finish::kNone, int first = 0) const;

 private:
  std::int8_t& weight(std::size_t row, std::size_t column);

  int out_;
  int in_;
  std::ptrdiff_t groups_;            // of four columns
  std::vector<std::int8_t> panels_;  // (ceil(out / 16), groups, 16, 4), zeros after the last
  std::vector<float> steps_;         // (ceil(out / 16) * 16)
  std::vector<std::int32_t> sums_;   // of the rows' weights; as many
};

}  // namespace ltz
