#include <algorithm>
#include <cmath>
#include <limits>

#include "model/base/assert.h"
#include "model/kernels/exponential.h"
#include "model/kernels/kernels.h"
#include "model/kernels/simd.h"

// Attention and convolution of one position. Heads are narrow, some 20 to 60 channels, and
// sequences are short: sums across a vector and what is left over at the end of a loop are what
// costs time. So four keys are multiplied at once and share the sums across; the last vector of a
// head's output overlaps the one before it; softmax is given whole vectors of scores, of all heads
// before the first is used; and the division by its sum comes last, so that nothing waits for it.
namespace ltz::kernels {
namespace {

using simd::Eight;
using simd::Four;

// The sums of a's, b's, c's and d's elements.
LTZ_INLINE void sums_across(const Four& a, const Four& b, const Four& c, const Four& d,
                            Four& sums) {
  const Four ab =
      __builtin_shufflevector(a, b, 0, 2, 4, 6) + __builtin_shufflevector(a, b, 1, 3, 5, 7);
  const Four cd =
      __builtin_shufflevector(c, d, 0, 2, 4, 6) + __builtin_shufflevector(c, d, 1, 3, 5, 7);
  sums = __builtin_shufflevector(ab, cd, 0, 2, 4, 6) + __builtin_shufflevector(ab, cd, 1, 3, 5, 7);
}

// dots[i] = scale * (query . keys[i]), four of them. query, keys: (width).
LTZ_INLINE void four_dots(const float* query, const float* const (&keys)[4], std::size_t width,
                          float scale, float* dots) {
  Eight wide[4] = {};
  std::size_t c = 0;
  for (; c + 8 <= width; c += 8) {
    const Eight q = simd::at<8>(query + c).lanes;
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      wide[i] += q * simd::at<8>(keys[i] + c).lanes;
    }
  }
  Four sums[4];
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    sums[i] = __builtin_shufflevector(wide[i], wide[i], 0, 1, 2, 3) +
              __builtin_shufflevector(wide[i], wide[i], 4, 5, 6, 7);
  }
  for (; c + 4 <= width; c += 4) {
    const Four q = simd::at<4>(query + c).lanes;
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      sums[i] += q * simd::at<4>(keys[i] + c).lanes;
    }
  }
  Four total;
  sums_across(sums[0], sums[1], sums[2], sums[3], total);
  for (; c < width; ++c) {
    const Four column = {keys[0][c], keys[1][c], keys[2][c], keys[3][c]};
    total += query[c] * column;
  }
  simd::at<4>(dots).lanes = total * scale;
}

// scores[head * stride + t] = scale * (query . keys[t]) of each head's `width` channels. stride: a
// multiple of four, at least the number of keys.
LTZ_INLINE void score_keys(float* scores, std::size_t stride, std::span<const float> query,
                           std::size_t width, const Rows& keys, float scale) {
  for (std::size_t t = 0; t < keys.size(); t += 4) {
    const std::size_t last = keys.size() - 1;
    const float* four[4] = {keys[t], keys[std::min(t + 1, last)], keys[std::min(t + 2, last)],
                            keys[std::min(t + 3, last)]};
    float* head = scores + t;
    for (std::size_t c = 0; c < query.size(); c += width, head += stride) {
      four_dots(query.data() + c, four, width, scale, head);
      for (const float*& key : four) {
        key += width;
      }
    }
  }
}

// Weighted sums of rows, of some channels of Heads heads. Those of the first head begin at
// `channel` of the rows and of out; each head has width channels and weights of its own.
struct Mix {
  float* out;
  std::size_t width;
  const float* weights;
  std::size_t stride;  // of weights, from a head to the next
  const Rows& rows;
  std::size_t channel;
  const float* sums;  // of the weights, by which the results are divided; null: they are not
};

// With Vectors vectors a head, of which the last one ends at the last channel. (Vectors - 1) * 8 <
// width <= Vectors * 8, 8 <= width.
template <int Vectors, int Heads>
LTZ_INLINE void mix_vectors(const Mix& mix) {
  Eight sums[Heads][Vectors] = {};
  const std::size_t last = mix.width - 8;
  for (std::size_t i = 0; i < mix.rows.size(); ++i) {
    const float* row = mix.rows[i] + mix.channel;
    const float* weight = mix.weights + i;
#pragma GCC unroll 2
    for (int head = 0; head < Heads; ++head, row += mix.width, weight += mix.stride) {
#pragma GCC unroll 8
      for (int v = 0; v + 1 < Vectors; ++v) {
        sums[head][v] += *weight * simd::at<8>(row + v * 8).lanes;
      }
      sums[head][Vectors - 1] += *weight * simd::at<8>(row + last).lanes;
    }
  }
  float* out = mix.out + mix.channel;
#pragma GCC unroll 2
  for (int head = 0; head < Heads; ++head, out += mix.width) {
#pragma GCC unroll 8
    for (int v = 0; v < Vectors; ++v) {
      if (mix.sums != nullptr) {
        sums[head][v] /= mix.sums[head];
      }
      simd::at<8>(out + (v + 1 < Vectors ? v * 8 : last)).lanes = sums[head][v];
    }
  }
}

// With as few vectors as the width needs, at most Vectors.
template <int Vectors, int Heads>
LTZ_INLINE void mix_few_vectors(const Mix& mix) {
  if constexpr (Vectors > 0) {
    if (mix.width > (Vectors - 1) * 8) {
      mix_vectors<Vectors, Heads>(mix);
    } else {
      mix_few_vectors<Vectors - 1, Heads>(mix);
    }
  }
}

// One head of any width.
LTZ_INLINE void mix_head(Mix mix) {
  constexpr int kVectors = 8;  // as many sums stay in registers
  if (mix.width < 8) {
    for (std::size_t c = mix.channel; c < mix.channel + mix.width; ++c) {
      float sum = 0.0f;
      for (std::size_t i = 0; i < mix.rows.size(); ++i) {
        sum += mix.weights[i] * mix.rows[i][c];
      }
      mix.out[c] = mix.sums == nullptr ? sum : sum / mix.sums[0];
    }
    return;
  }
  const std::size_t end = mix.channel + mix.width;
  mix.width = kVectors * 8;
  for (; mix.channel + mix.width <= end; mix.channel += mix.width) {
    mix_vectors<kVectors, 1>(mix);
  }
  if (mix.channel < end) {
    mix.width = std::max<std::size_t>(end - mix.channel, 8);
    mix.channel = end - mix.width;
    mix_few_vectors<kVectors, 1>(mix);
  }
}

// All heads. Narrow ones in pairs, so that a sum need not wait for the one before it.
LTZ_INLINE void mix_heads(Mix mix, std::size_t heads) {
  constexpr int kVectors = 6;
  std::size_t head = 0;
  const auto next = [&](std::size_t count) {
    head += count;
    mix.channel += count * mix.width;
    mix.weights += count * mix.stride;
    mix.sums += mix.sums == nullptr ? 0 : count;
  };
  if (mix.width >= 8 && mix.width <= kVectors * 8) {
    while (head + 2 <= heads) {
      mix_few_vectors<kVectors, 2>(mix);
      next(2);
    }
  }
  while (head < heads) {
    mix_head(mix);
    next(1);
  }
}

// Scores of a head are followed by others whose exponentials are next to nothing, up to a whole
// number of vectors.
std::size_t padded_keys(std::size_t keys) {
  return (keys + 15) / 16 * 16;
}

}  // namespace

std::size_t attention_scratch(int heads, std::size_t keys) {
  return static_cast<std::size_t>(heads) * (padded_keys(keys) + 1);
}

LTZ_MULTIVERSION
void attend(std::span<float> out, const AttentionInputs& inputs, std::span<float> scratch) {
  const Rows keys = inputs.keys;
  const Rows values = inputs.values;
  const auto count = static_cast<std::size_t>(inputs.heads);
  LTZ_ASSERT(keys.size() == values.size());
  LTZ_ASSERT(inputs.query.size() % count == 0 && out.size() == inputs.query.size());
  LTZ_ASSERT(scratch.size() >= attention_scratch(inputs.heads, keys.size()));
  const std::size_t width = inputs.query.size() / count;
  const float scale = 1.0f / std::sqrt(static_cast<float>(width));
  const std::size_t padded = padded_keys(keys.size());
  const std::span<float> sums = scratch.last(count);
  score_keys(scratch.data(), padded, inputs.query, width, keys, scale);
  for (std::size_t head = 0; head < count; ++head) {
    std::fill(scratch.data() + head * padded + keys.size(), scratch.data() + (head + 1) * padded,
              -std::numeric_limits<float>::infinity());
  }
  for (std::size_t head = 0; head < count; ++head) {
    sums[head] = exponentials_inline(scratch.subspan(head * padded, padded));
  }
  mix_heads({out.data(), width, scratch.data(), padded, values, 0, sums.data()}, count);
}

LTZ_MULTIVERSION
void convolve(std::span<float> out, const ConvolutionInputs& inputs) {
  const Rows rows = inputs.rows;
  const auto count = static_cast<std::size_t>(inputs.heads);
  const std::size_t taps = inputs.kernel.size() / count;
  LTZ_ASSERT(out.size() % count == 0 && inputs.kernel.size() % count == 0);
  LTZ_ASSERT(inputs.first_tap + rows.size() <= taps);
  mix_heads({out.data(), out.size() / count, inputs.kernel.data() + inputs.first_tap, taps, rows, 0,
             nullptr},
            count);
}

}  // namespace ltz::kernels
