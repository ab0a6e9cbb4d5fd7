#pragma once

#include <span>

#include "model/kernels/kernels.h"

// The backward passes of kernels.h: from the gradient of a loss by a result to the gradients by its
// inputs. The name of a gradient begins with d; functions add to it unless they say otherwise.
namespace ltz::kernels {

// Rows of kernels.h that can be written to.
struct MutableRows {
  float* values;
  std::size_t width;
  std::span<const std::int32_t> indices;

  float* operator[](std::size_t i) const {
    return values + static_cast<std::size_t>(indices[i]) * width;
  }
};

// dy[i] becomes dy[i] f'(x[i]), where f is the activation.
void activation_backward(std::span<float> dy, std::span<const float> x, Activation activation);

struct LayerNormGradients {
  std::span<float> x;
  std::span<float> gain;
  std::span<float> bias;
};
// x: what was normalised, the residual included.
void layer_norm_backward(std::span<const float> x, std::span<const float> gain,
                         std::span<const float> dy, const LayerNormGradients& d);

// dy becomes the gradient by the softmax's argument. y: its result.
void softmax_backward(std::span<float> dy, std::span<const float> y);

// a, b: as for gated.
void gated_backward(std::span<const float> a, std::span<const float> b, std::span<const float> dout,
                    std::span<float> da, std::span<float> db);

struct AttentionGradients {
  std::span<float> query;
  MutableRows keys;
  MutableRows values;
};
// out: the result of attend, which is computed once more and set. scratch: keys.size() floats
// twice.
void attend_backward(std::span<float> out, const AttentionInputs& inputs,
                     std::span<const float> dout, const AttentionGradients& d,
                     std::span<float> scratch);

struct ConvolutionGradients {
  MutableRows rows;
  std::span<float> kernel;
};
void convolve_backward(const ConvolutionInputs& inputs, std::span<const float> dout,
                       const ConvolutionGradients& d);

}  // namespace ltz::kernels
