#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <omp.h>

#include <cstdio>
#include <exception>
#include <vector>

#include "bench_model.h"

namespace {

// A table whose counters are what their names say: Google Benchmark itself would write "/s" behind
// everything that it divides by the time, and so behind a share of the limit.
class Table : public benchmark::ConsoleReporter {
 public:
  Table() : ConsoleReporter(OO_Tabular) {}

  void ReportRuns(const std::vector<Run>& finished) override {
    std::vector<Run> runs = finished;
    for (Run& run : runs) {
      for (auto& [name, counter] : run.counters) {
        counter.flags = benchmark::Counter::kDefaults;
      }
    }
    ConsoleReporter::ReportRuns(runs);
  }
};

}  // namespace

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
    Table table;
    benchmark::RunSpecifiedBenchmarks(&table);
  } catch (const std::exception& error) {
    fmt::print(stderr, "benchmarks: {}\n", error.what());
    return 3;
  }
  return 0;
}
