#pragma once

#include <benchmark/benchmark.h>

#include <cstdint>
#include <vector>

#include "eval/budget/machine_limits.h"
#include "eval/quality/evaluate.h"
#include "model/checkpoint/checkpoint.h"
#include "model/layers/transformer.h"

// What the benchmarks run on, and what their times are compared with.
namespace ltz::bench {

// The example model and its test set, or what LTZ_BENCH_MODEL, LTZ_BENCH_SRC and LTZ_BENCH_REF
// name.
struct BenchModel {
  Checkpoint checkpoint;
  Transformer model;
  EncodedText text;
};
const BenchModel& bench_model();

// The checkpoint with 8-bit codebooks, as `ltz quantize` makes it.
const Checkpoint& quantized_checkpoint();

// With one thread, in the processor's time, as Google Benchmark has it; measured at the first call.
const eval::MachineLimits& machine_limits();

// Have `state` report its speed, and what part of the machine's limit that is ("of_limit", 1
// is all of it). mult_adds, bytes: of one iteration.
void report_mult_adds(benchmark::State& state, std::int64_t mult_adds);
void report_bytes(benchmark::State& state, std::int64_t bytes);

}  // namespace ltz::bench
