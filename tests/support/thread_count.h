#pragma once

#include <omp.h>

namespace ltz {

// Has parallel loops run on so many threads, and puts the number back at the end of its scope.
class ThreadCount {
 public:
  explicit ThreadCount(int threads) : before_(omp_get_max_threads()) {
    omp_set_num_threads(threads);
  }
  ~ThreadCount() { omp_set_num_threads(before_); }
  ThreadCount(const ThreadCount&) = delete;
  ThreadCount& operator=(const ThreadCount&) = delete;

 private:
  int before_;
};

// What the function returns on so many threads.
template <typename Function>
auto on_threads(int threads, const Function& function) {
  const ThreadCount guard(threads);
  return function();
}

}  // namespace ltz
