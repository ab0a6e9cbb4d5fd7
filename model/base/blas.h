#pragma once

// For sources in which Eigen multiplies large matrices, with OpenBLAS: those that calibrate,
// compress and train. They call it from loops that are parallel, so that it is to have one thread.
// A program with any of them begins by saying so; one that only translates needs no BLAS.
extern "C" void openblas_set_num_threads(int threads);

namespace ltz {

inline const bool kBlasHasOneThread = [] {
  openblas_set_num_threads(1);
  return true;
}();

}  // namespace ltz
