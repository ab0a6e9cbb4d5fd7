#pragma once

#include "model/kernels/matrix.h"

namespace ltz {

// A matrix for an intermediate result, its values undefined at first. The memory is taken from the
// thread that makes it and stays with the thread for the next one: a decoder step allocates nothing
// that the step before it needed too. The last one made is the first to go, as local variables are.
class Scratch {
 public:
  Scratch(Eigen::Index rows, Eigen::Index cols);
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  Eigen::Map<Matrix>& operator*() { return matrix_; }
  Eigen::Map<Matrix>* operator->() { return &matrix_; }

 private:
  Eigen::Map<Matrix> matrix_;
};

}  // namespace ltz
