#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <vector>

namespace ltz::formats {

// Calls function(i) for i in [0, count), in any order and on all threads. What the calls throw is
// kept inside the parallel region; the exception of the lowest i is thrown on afterwards, so that
// the answer does not depend on the threads.
template <typename Function>
void parallel_for_each_index(std::size_t count, Function&& function) {
  std::vector<std::exception_ptr> errors(count);
#pragma omp parallel for schedule(dynamic)
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(count); ++i) {
    const auto index = static_cast<std::size_t>(i);
    try {
      function(index);
    } catch (...) {
      errors[index] = std::current_exception();
    }
  }
  for (const std::exception_ptr& error : errors) {
    if (error) {
      std::rethrow_exception(error);
    }
  }
}

}  // namespace ltz::formats
