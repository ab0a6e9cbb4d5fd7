#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <omp.h>

#include <cstdio>
#include <exception>

#include "bench_model.h"

// All benchmarks run on one thread: `ltz bench` measures how whole commands use the others.
int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
    return 2;
  }
  try {
    omp_set_num_threads(1);
    ltz::bench::bench_model();
    const ltz::eval::MachineLimits& limits = ltz::bench::machine_limits();
    benchmark::AddCustomContext("GEMM limit", fmt::format("{:.1f} GFLOP/s", limits.gemm / 1e9));
    benchmark::AddCustomContext("memory limit", fmt::format("{:.1f} GB/s", limits.memory / 1e9));
    benchmark::RunSpecifiedBenchmarks();
  } catch (const std::exception& error) {
    fmt::print(stderr, "benchmarks: {}\n", error.what());
    return 3;
  }
  return 0;
}
