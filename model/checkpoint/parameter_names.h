#pragma once

#include <string>

namespace ltz {

// Name of the bias that is added to a matrix's outputs, if the model has it: prefix.bias of
// prefix.weight.
inline std::string bias_of(const std::string& matrix) {
  return matrix.substr(0, matrix.rfind('.')) + ".bias";
}

}  // namespace ltz
