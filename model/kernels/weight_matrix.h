#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <variant>

#include "model/kernels/int8_matrix.h"
#include "model/kernels/matrix.h"
#include "model/kernels/packed_matrix.h"
#include "model/kernels/quantized_rows.h"

namespace ltz {

// The arithmetic of products with the matrices of linear layers.
enum class Arithmetic { kFloat32, kInt8 };
std::string_view to_string(Arithmetic arithmetic);

// Rows to be multiplied with matrices of one precision: with int8, they are quantized once for all
// of the matrices.
class ProductRows {
 public:
  // x outlives them.
  ProductRows(MatrixView x, Arithmetic arithmetic) : view_{x, {}} {
    if (arithmetic == Arithmetic::kInt8) {
      view_.quantized = quantized_.emplace(x).view();
    }
  }

  // Some of the rows; does not outlive them.
  struct View {
    MatrixView x;
    QuantizedRows::View quantized;  // none with float32
  };
  const View& all() const { return view_; }
  View middle(Eigen::Index first, Eigen::Index count) const {
    return {view_.x.middleRows(first, count),
            view_.quantized.middle(static_cast<int>(first), static_cast<int>(count))};
  }

 private:
  std::optional<QuantizedRows> quantized_;
  View view_;
};

// The matrix of a linear layer, made for products of one precision.
class WeightMatrix {
 public:
  using Finish = PackedMatrix::Finish;

  // weights: of out x in elements, row-major. A matrix that int8 has no room for stays float32.
  WeightMatrix(const Tensor& weights, int out, int in, Arithmetic arithmetic)
      : matrix_(make(weights, out, in, arithmetic)) {}
  // Takes other values. weights: (out, in).
  void assign(std::span<const float> weights);
  // The weights that products are made with. weights: (out, in).
  void unpack(MutableMatrixView weights) const;

  int out() const;
  int in() const;
  std::size_t size() const {
    return static_cast<std::size_t>(out()) * static_cast<std::size_t>(in());
  }
  Arithmetic arithmetic() const {
    return std::holds_alternative<PackedMatrix>(matrix_) ? Arithmetic::kFloat32 : Arithmetic::kInt8;
  }

  // See PackedMatrix::multiply. x: made for this precision.
  void multiply(const ProductRows::View& x, MutableMatrixView y, std::span<const float> bias = {},
                Finish finish = Finish::kNone, int first = 0) const;

 private:
  using Matrix = std::variant<PackedMatrix, Int8Matrix>;
  static Matrix make(const Tensor& weights, int out, int in, Arithmetic arithmetic);

  Matrix matrix_;
};

}  // namespace ltz
