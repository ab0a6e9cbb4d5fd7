#include "model/kernels/weight_matrix.h"

namespace ltz {

std::string_view to_string(Arithmetic arithmetic) {
  return arithmetic == Arithmetic::kInt8 ? "int8" : "float32";
}

WeightMatrix::Matrix WeightMatrix::make(const Tensor& weights, int out, int in,
                                        Arithmetic arithmetic) {
  if (arithmetic == Arithmetic::kInt8 && in <= Int8Matrix::kMaxColumns) {
    return Int8Matrix(weights.values(), out, in);
  }
  return PackedMatrix(weights, out, in);
}

void WeightMatrix::assign(std::span<const float> weights) {
  std::visit([&](auto& matrix) { matrix.assign(weights); }, matrix_);
}

void WeightMatrix::unpack(MutableMatrixView weights) const {
  std::visit([&](const auto& matrix) { matrix.unpack(weights); }, matrix_);
}

int WeightMatrix::out() const {
  return std::visit([](const auto& matrix) { return matrix.out(); }, matrix_);
}

int WeightMatrix::in() const {
  return std::visit([](const auto& matrix) { return matrix.in(); }, matrix_);
}

void WeightMatrix::multiply(const ProductRows::View& x, MutableMatrixView y,
                            std::span<const float> bias, Finish finish, int first) const {
  if (const auto* packed = std::get_if<PackedMatrix>(&matrix_)) {
    packed->multiply(x.x, y, bias, finish, first);
  } else {
    std::get<Int8Matrix>(matrix_).multiply(x.quantized, y, bias, finish, first);
  }
}

}  // namespace ltz
