#pragma once

#include <functional>

// The measured limits of the machine: speeds mean little without them.
namespace ltz::eval {

struct MachineLimits {
  double gemm = 0.0;    // float32 GEMM, floating-point operations per second
  double memory = 0.0;  // memory bandwidth, bytes per second
};

// Which time counts: that of the wall clock, or the processor time of this process, divided by its
// threads. Speeds are to be compared with limits of the same clock; on a busy machine that is
// fairer with kProcessor.
enum class Clock { kWall, kProcessor };

// Seconds that the fastest of three runs of the work takes, after one that does not count: it wakes
// the machine up. now: a clock, in seconds.
double fastest_run(const std::function<double()>& now, const std::function<void()>& work);

// Operations per second, 2 size^3 each, of the product of two (size, size) float32 matrices by the
// BLAS that the model computes with; each of `threads` threads has products of its own, as each has
// batches of its own in translation. See fastest_run.
double measure_gemm(int threads, Clock clock = Clock::kWall, int size = 2048);

// Bytes per second of a[i] = b[i] + s c[i] over vectors far larger than the caches, 12 bytes each
// i: the triad of STREAM (McCalpin 1995), with float32. See fastest_run.
double measure_memory(int threads, Clock clock = Clock::kWall);

// Both. Takes about a second.
MachineLimits measure_machine(int threads, Clock clock = Clock::kWall);

}  // namespace ltz::eval
