#include "bench_model.h"

#include <cstdlib>
#include <string>

#include "compress/recipes/plan.h"
#include "formats/bytes/word_list.h"
#include "formats/files/file.h"
#include "formats/models/model_file.h"
#include "model/decoding/text_codec.h"
#include "model/decoding/translator.h"

namespace ltz::bench {
namespace {

std::string path_of(const char* variable, const char* example) {
  const char* path = std::getenv(variable);
  return path != nullptr ? path : std::string(LTZ_EXAMPLES_DIR "/") + example;
}

std::vector<std::string> read_lines(const std::string& path) {
  return formats::split_lines(formats::read_text_file(path));
}

BenchModel read_bench_model() {
  Checkpoint checkpoint =
      formats::read_model(path_of("LTZ_BENCH_MODEL", "tatoeba-160/checkpoint.pt"), {}).checkpoint;
  const eval::ParallelText text{read_lines(path_of("LTZ_BENCH_SRC", "everyday.en")),
                                read_lines(path_of("LTZ_BENCH_REF", "everyday.fr"))};
  EncodedText encoded = eval::encode(TextCodec(checkpoint), text);
  Transformer model(checkpoint);
  return {std::move(checkpoint), std::move(model), std::move(encoded)};
}

// Google Benchmark divides by the time when the benchmark is done; 1e-9 turns it into G/s.
void report_share(benchmark::State& state, const char* unit, double amount, double limit) {
  using benchmark::Counter;
  const double total = amount * static_cast<double>(state.iterations());
  state.counters[unit] = Counter(1e-9 * total, Counter::kIsRate);
  state.counters["of_limit"] = Counter(total / limit, Counter::kIsRate);
}

}  // namespace

const eval::MachineLimits& machine_limits() {
  static const eval::MachineLimits limits = eval::measure_machine(1, eval::Clock::kProcessor);
  return limits;
}

const BenchModel& bench_model() {
  static const BenchModel model = read_bench_model();
  return model;
}

const Checkpoint& quantized_checkpoint() {
  static const Checkpoint quantized = [] {
    const compress::Recipe recipe{.method = compress::PruningMethod{.prune = false}};
    const Checkpoint& checkpoint = bench_model().checkpoint;
    return compress::apply(checkpoint, compress::Planner(checkpoint, nullptr, recipe).at(0.0));
  }();
  return quantized;
}

void report_mult_adds(benchmark::State& state, std::int64_t mult_adds) {
  report_share(state, "GFLOP/s", 2.0 * static_cast<double>(mult_adds), machine_limits().gemm);
}

void report_bytes(benchmark::State& state, std::int64_t bytes) {
  report_share(state, "GB/s", static_cast<double>(bytes), machine_limits().memory);
}

}  // namespace ltz::bench
