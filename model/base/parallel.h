#pragma once

#ifdef _OPENMP
#include <omp.h>
#endif

#include <algorithm>
#include <cstddef>
#include <exception>
#include <vector>

namespace ltz {

// The number of threads that a parallel loop would have if it began here: one inside of another
// loop, and without OpenMP. Nothing else needs to know whether there is OpenMP: without it, its
// directives are ignored.
inline std::size_t thread_count() {
#ifdef _OPENMP
  return omp_in_parallel() != 0 ? 1 : static_cast<std::size_t>(omp_get_max_threads());
#else
  return 1;
#endif
}

// Calls body(i) for every i in [0, count) on all threads, in any order. The result is independent
// of the number of threads if body(i) writes only what belongs to i. No exception leaves the OpenMP
// region: after the loop the one of the smallest i is thrown, so that errors are reproducible too.
// A single call is not a parallel region: what is inside may use all threads.
template <typename Body>
void parallel_for(std::size_t count, const Body& body) {
  std::vector<std::exception_ptr> errors(count);
#pragma omp parallel for schedule(dynamic) if (count > 1)
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

// Calls body(begin, end) for ranges that make up [0, count): one for each thread, or a single one
// inside of a parallel region and where there is too little to do to share it. work:
// multiplications in all. Nothing may depend on where the ranges meet.
template <typename Body>
void split_work(std::size_t count, double work, const Body& body) {
  // Some tens of microseconds. Calling a thread takes a few, but on a machine that has other work
  // all threads wait for the one that was interrupted, each time.
  constexpr double kWorthSharing = 2e6;
  std::size_t parts = 1;
  if (work > kWorthSharing) {
    parts = std::min(count, thread_count());
  }
  if (parts <= 1) {
    body(0, count);
    return;
  }
  parallel_for(parts,
               [&](std::size_t part) { body(count * part / parts, count * (part + 1) / parts); });
}

}  // namespace ltz
