#include "bench_model.h"
#include "compress/codebooks/kmeans.h"

namespace ltz::bench {
namespace {

// Codebooks for all matrices of linear layers, one after the other. The limit counts the floats
// that are read and the codes that are written, once.
void kmeans(benchmark::State& state, compress::KMeansInit init) {
  const Checkpoint& checkpoint = bench_model().checkpoint;
  std::vector<std::vector<float>> matrices;
  std::int64_t bytes = 0;
  for (const ParameterSpec& spec : parameter_specs(checkpoint.config)) {
    if (spec.role == Role::kMatrix) {
      matrices.push_back(checkpoint.tensors.at(spec.name).values());
      bytes += element_count(spec.shape) * static_cast<std::int64_t>(sizeof(float) + 1);
    }
  }
  compress::KMeansOptions options;
  options.centroids = static_cast<int>(state.range(0));
  options.init = init;
  for (auto _ : state) {
    for (const std::vector<float>& matrix : matrices) {
      benchmark::DoNotOptimize(compress::kmeans(matrix, options));
    }
  }
  report_bytes(state, bytes);
}
BENCHMARK_CAPTURE(kmeans, linear, compress::KMeansInit::kLinear)
    ->ArgName("centroids")
    ->Arg(16)
    ->Arg(256)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(kmeans, optimal, compress::KMeansInit::kOptimal)
    ->ArgName("centroids")
    ->Arg(256)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace ltz::bench
