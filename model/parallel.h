#pragma once

#include <cstdint>
#include <exception>
#include <vector>

namespace ltz {

// Calls body(i) for every i in [0, count) on all threads, in any order. The result is independent
// of the number of threads if body(i) writes only what belongs to i. No exception leaves the OpenMP
// region: after the loop the one of the smallest i is thrown, so that errors are reproducible too.
template <typename Body>
void parallel_for(std::size_t count, const Body& body) {
  std::vector<std::exception_ptr> errors(count);
#pragma omp parallel for schedule(dynamic)
  for (std::size_t i = 0; i < count; ++i) {
    try {
      body(i);
    } catch (...) {
      errors[i] = std::current_exception();
    }
  }
  for (const std::exception_ptr& error : errors) {
    if (error) {
      std::rethrow_exception(error);
    }
  }
}

}  // namespace ltz
