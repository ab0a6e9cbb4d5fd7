#pragma once

#include <cstdint>

#include "model/kernels/matrix.h"
#include "model/kernels/scratch.h"

namespace ltz {

// Rows of floats as bytes, as Int8Matrix takes them: a value is step * (byte - zero). Every row has
// a step and a zero of its own, so that its values and 0 are spread over all bytes (Jacob et al.
// 2018, section 2.1): what ReLU leaves has as many steps as what has both signs. 0 stays 0.
//
// A row whose sum or range is no finite number, because one of its values is none or because they
// are too large, is not a number in any product. A row that hardly differs from 0, by less than the
// smallest normal float for a step, is 0.
class QuantizedRows {
 public:
  explicit QuantizedRows(MatrixView x);

  // The bytes of a row are a multiple of so many; those behind the row's own are undefined.
  static constexpr int kPadding = 16;

  // Some of the rows; does not outlive them.
  struct View {
    const std::uint8_t* bytes = nullptr;
    std::ptrdiff_t stride = 0;      // bytes from one row to the next
    const float* scales = nullptr;  // (rows, 2): step and zero
    int rows = 0;

    View middle(int first, int count) const {
      return {bytes + first * stride, stride, scales + std::ptrdiff_t{2} * first, count};
    }
  };
  View view() const { return view_; }

 private:
  Scratch bytes_;
  Scratch scales_;
  View view_;
};

}  // namespace ltz
