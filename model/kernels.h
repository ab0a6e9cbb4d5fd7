#pragma once

#include <cstddef>
#include <span>

// The loops that matrix products leave over. Each is compiled for several instruction sets and the
// processor's best is chosen when the program starts. Results of different instruction sets differ
// in the last bits; on one machine they are reproducible.
namespace ltz::kernels {

// y[i] += bias[i]
void add_bias(std::span<float> y, std::span<const float> bias);
// y[i] = max(y[i] + bias[i], 0)
void add_bias_relu(std::span<float> y, std::span<const float> bias);
// y[i] = gelu(y[i] + bias[i]), the exact form with erf (Hendrycks & Gimpel 2016)
void add_bias_gelu(std::span<float> y, std::span<const float> bias);

// y[i] = (y[i] + residual[i]), then normalised: (y - mean) / sqrt(variance + 1e-5) * gain + bias
// (Ba et al. 2016). residual may be empty.
void layer_norm(std::span<float> y, std::span<const float> residual, std::span<const float> gain,
                std::span<const float> bias);

// In place, over the whole span; numerically safe for large values. Nothing for an empty span.
void softmax(std::span<float> x);
// log(sum(exp(x))); -infinity for an empty span.
float log_sum_exp(std::span<const float> x);
// The largest value; -infinity for an empty span.
float max_value(std::span<const float> x);

// out[i] = a[i] * sigmoid(b[i]) (gated linear unit, Dauphin et al. 2017)
void gated(std::span<float> out, std::span<const float> a, std::span<const float> b);

// One query of scaled dot-product attention, all heads. query, out: (heads * width). keys and
// values: one pointer per attended position to heads * width floats. scratch: at least keys.size()
// floats.
void attend(std::span<float> out, std::span<const float> query, int heads,
            std::span<const float* const> keys, std::span<const float* const> values,
            std::span<float> scratch);

// One output position of a depthwise convolution whose kernel is shared by the channels of a head.
// taps: one pointer per kernel position to the input's channels, null outside the sequence.
// kernel: (heads, taps). out: (channels).
void convolve(std::span<float> out, std::span<const float* const> taps,
              std::span<const float> kernel, int heads);

}  // namespace ltz::kernels
