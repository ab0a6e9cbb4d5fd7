#pragma once

#include <span>

#include "model/kernels/kernels.h"

// The way back of kernels.h: from the gradient of a loss by a result to those by what the result
// was made from. What is called d… is such a gradient; all are added to where nothing else is said.
namespace ltz::kernels {

// Rows as of kernels.h that are written to.
struct MutableRows {
  float* values;
  std::size_t width;
  std::span<const std::int32_t> indices;

  float* operator[](std::size_t i) const {
    return values + static_cast<std::size_t>(indices[i]) * width;
  }
};

// dy[i] becomes dy[i] gelu'(x[i]).
void gelu_backward(std::span<float> dy, std::span<const float> x);

// x: what was normalised, the residual included.
void layer_norm_backward(std::span<const float> x, std::span<const float> gain,
                         std::span<const float> dy, std::span<float> dx, std::span<float> dgain,
                         std::span<float> dbias);

// dy becomes the gradient by the softmax's argument. y: its result.
void softmax_backward(std::span<float> dy, std::span<const float> y);

// a, b: as of gated.
void gated_backward(std::span<const float> a, std::span<const float> b, std::span<const float> dout,
                    std::span<float> da, std::span<float> db);

// Arguments of attend, and its result, which is computed once more and set. scratch: keys.size()
// floats twice.
struct AttendGradients {
  std::span<float> query;
  MutableRows keys;
  MutableRows values;
};
void attend_backward(std::span<float> out, std::span<const float> query, int heads,
                     const Rows& keys, const Rows& values, std::span<const float> dout,
                     const AttendGradients& gradients, std::span<float> scratch);

// Arguments of convolve.
void convolve_backward(const Rows& inputs, std::size_t first, std::span<const float> kernel,
                       int heads, std::span<const float> dout, const MutableRows& dinputs,
                       std::span<float> dkernel);

}  // namespace ltz::kernels
