#pragma once

// What the machine allows at most, measured: speeds mean little without it.
namespace ltz::eval {

struct MachineLimits {
  double gemm = 0.0;    // float32 GEMM, floating-point operations per second
  double memory = 0.0;  // memory bandwidth, bytes per second
};

// Which time counts: what passes, or what this process gets of its processors, divided by its
// threads. Speeds are to be compared with limits of the same clock; on a busy machine that is
// fairer with kProcessor.
enum class Clock { kWall, kProcessor };

// Operations per second, 2 size^3 each, of the product of two (size, size) float32 matrices by the
// BLAS that the model computes with; each of `threads` threads has products of its own, as each has
// batches of its own in translation. The best of a few tries, after one that wakes the machine up.
double measure_gemm(int threads, Clock clock = Clock::kWall, int size = 2048);

// Bytes per second of a[i] = b[i] + s c[i] over vectors far larger than the caches, 12 bytes each
// i: the triad of STREAM (McCalpin 1995), with float32. The best of a few tries.
double measure_memory(int threads, Clock clock = Clock::kWall);

// Both. Takes about a second.
MachineLimits measure_machine(int threads, Clock clock = Clock::kWall);

}  // namespace ltz::eval
