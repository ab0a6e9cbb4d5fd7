#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "model/checkpoint/config.h"

// The loops of a model other than matrix products. Each is compiled for several instruction sets
// and the processor's best is chosen when the program starts. Results of different instruction sets
// differ in the last bits; on one machine they are reproducible.
namespace ltz::kernels {

// y[i] = gelu(y[i]), the exact form with erf (Hendrycks & Gimpel 2016)
void gelu(std::span<float> y);
// y[i] = activation(y[i]), whichever it is.
void activate(std::span<float> y, Activation activation);
// GELU's approximation: x / 2 (1 + tanh(kGeluRoot (x + kGeluCube x^3))).
inline constexpr float kGeluRoot = 0.79788456f;  // sqrt(2 / pi)
inline constexpr float kGeluCube = 0.044715f;

// x[i] = x[i] + residual[i], then normalised: (x - mean) / sqrt(variance + kNormEpsilon) * gain +
// bias (Ba et al. 2016). residual may be empty.
inline constexpr float kNormEpsilon = 1e-5f;
void layer_norm(std::span<float> x, std::span<const float> residual, std::span<const float> gain,
                std::span<const float> bias);

// In place, over the whole span; numerically safe for large values. Nothing for an empty span.
void softmax(std::span<float> x);
// log(sum(exp(x))); -infinity for an empty span.
float log_sum_exp(std::span<const float> x);
// The largest value; -infinity for an empty span.
float max_value(std::span<const float> x);
// sum(exp(x - shift)); a term below e^-87 may count as e^-87.
float sum_exp(std::span<const float> x, float shift);
// largest[l] becomes the largest of x[l], x[l + kLanes], x[l + 2 kLanes], … The size of x is a
// multiple of kLanes.
constexpr std::size_t kLanes = 8;
void max_of_lanes(std::span<const float> x, std::span<float, kLanes> largest);

// out[i] = a[i] * sigmoid(b[i]) (gated linear unit, Dauphin et al. 2017)
void gated(std::span<float> out, std::span<const float> a, std::span<const float> b);

// Rows of a matrix that belong to one sequence, in order of time: row i is the floats from
// values + indices[i] * width.
struct Rows {
  const float* values;
  std::size_t width;
  std::span<const std::int32_t> indices;

  std::size_t size() const { return indices.size(); }
  const float* operator[](std::size_t i) const {
    return values + static_cast<std::size_t>(indices[i]) * width;
  }
};

// Has the processor fetch these rows, which are scattered over the memory of many sequences, while
// it computes with others.
inline void prefetch(const Rows& rows) {
  constexpr std::size_t kCacheLine = 64 / sizeof(float);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t c = 0; c < rows.width; c += kCacheLine) {
      __builtin_prefetch(rows[i] + c);
    }
  }
}

// Floats that attend needs as its scratch.
std::size_t attention_scratch(int heads, std::size_t keys);

// One query and what it attends to: as many keys as values, rows of heads * width floats.
struct AttentionInputs {
  std::span<const float> query;  // (heads * width)
  int heads;
  Rows keys;
  Rows values;
};

// Scaled dot-product attention of all heads (Vaswani et al. 2017, section 3.2.1): scores are
// divided by the root of a head's width. out: (heads * width). scratch: attention_scratch(heads,
// keys.size()) floats.
void attend(std::span<float> out, const AttentionInputs& inputs, std::span<float> scratch);

// What one output position of a depthwise convolution is made from. The channels of a head share
// their kernel.
struct ConvolutionInputs {
  Rows rows;                      // those inside the sequence, (channels) each
  std::size_t first_tap;          // that the first row meets
  std::span<const float> kernel;  // (heads, taps)
  int heads;
};

// out: (channels).
void convolve(std::span<float> out, const ConvolutionInputs& inputs);

}  // namespace ltz::kernels
