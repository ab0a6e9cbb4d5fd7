#include "eval/budget/machine_limits.h"

#include <omp.h>

#include <algorithm>
#include <cstddef>
#include <ctime>
#include <limits>
#include <vector>

extern "C" {
void openblas_set_num_threads(int threads);
// BLAS, column-major: C (m, n) = alpha A (m, k) B (k, n) + beta C.
void sgemm_(const char* transpose_a, const char* transpose_b, const int* m, const int* n,
            const int* k, const float* alpha, const float* a, const int* lda, const float* b,
            const int* ldb, const float* beta, float* c, const int* ldc);
}

namespace ltz::eval {
namespace {

constexpr int kTries = 3;
constexpr std::size_t kTriadElements = std::size_t{1} << 24;  // 64 MiB a vector

struct Product {
  explicit Product(int size)
      : size(size),
        a(static_cast<std::size_t>(size) * static_cast<std::size_t>(size), 0.5f),
        b(a.size(), 0.25f),
        c(a.size()) {}

  void compute() {
    const float one = 1.0f;
    const float zero = 0.0f;
    sgemm_("N", "N", &size, &size, &size, &one, a.data(), &size, b.data(), &size, &zero, c.data(),
           &size);
  }

  int size;
  std::vector<float> a;  // (size, size), as b and c
  std::vector<float> b;
  std::vector<float> c;
};

std::function<double()> seconds_of(Clock clock, int threads) {
  if (clock == Clock::kWall) {
    return omp_get_wtime;
  }
  return [threads] { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC / threads; };
}

}  // namespace

double fastest_run(const std::function<double()>& now, const std::function<void()>& work) {
  work();
  double best = std::numeric_limits<double>::infinity();
  for (int i = 0; i < kTries; ++i) {
    const double start = now();
    work();
    best = std::min(best, now() - start);
  }
  return best;
}

double measure_gemm(int threads, Clock clock, int size) {
  openblas_set_num_threads(1);
  std::vector<Product> products(static_cast<std::size_t>(threads), Product(size));
  const double seconds = fastest_run(seconds_of(clock, threads), [&] {
#pragma omp parallel for num_threads(threads) schedule(static, 1)
    for (std::size_t i = 0; i < products.size(); ++i) {
      products[i].compute();
    }
  });
  return 2.0 * threads * size * static_cast<double>(size) * size / seconds;
}

double measure_memory(int threads, Clock clock) {
  std::vector<float> a(kTriadElements);
  const std::vector<float> b(kTriadElements, 1.0f);
  const std::vector<float> c(kTriadElements, 2.0f);
  const double seconds = fastest_run(seconds_of(clock, threads), [&] {
#pragma omp parallel for simd num_threads(threads) schedule(static)
    for (std::size_t i = 0; i < kTriadElements; ++i) {
      a[i] = b[i] + 0.5f * c[i];
    }
  });
  return 3.0 * sizeof(float) * static_cast<double>(kTriadElements) / seconds;
}

MachineLimits measure_machine(int threads, Clock clock) {
  return {measure_gemm(threads, clock), measure_memory(threads, clock)};
}

}  // namespace ltz::eval
