#include <algorithm>
#include <cmath>
#include <limits>

#include "model/exponential.h"
#include "model/kernels.h"
#include "model/simd.h"

// Attention and convolution of one position. Heads are narrow, some 20 to 60 channels, and
// sequences are short: sums across a vector and what is left over at the end of a loop are what
// costs time. So four keys are multiplied at once and share the sums across; the last vector of a
// head's output overlaps the one before it; softmax is given whole vectors of scores; and the
// division by its sum comes last, so that nothing waits for it.
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
    const Eight q = simd::at<8>(query + c);
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      wide[i] += q * simd::at<8>(keys[i] + c);
    }
  }
  Four sums[4];
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    sums[i] = __builtin_shufflevector(wide[i], wide[i], 0, 1, 2, 3) +
              __builtin_shufflevector(wide[i], wide[i], 4, 5, 6, 7);
  }
  for (; c + 4 <= width; c += 4) {
    const Four q = simd::at<4>(query + c);
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      sums[i] += q * simd::at<4>(keys[i] + c);
    }
  }
  Four total;
  sums_across(sums[0], sums[1], sums[2], sums[3], total);
  for (; c < width; ++c) {
    const Four column = {keys[0][c], keys[1][c], keys[2][c], keys[3][c]};
    total += query[c] * column;
  }
  simd::at<4>(dots) = total * scale;
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

// out[c] = sum over i of weights[i] * rows[i][offset + c] for c < width, with Vectors vectors of
// which the last one ends at the last channel. (Vectors - 1) * 8 < width <= Vectors * 8, 8 <=
// width.
template <int Vectors>
LTZ_INLINE void mix_channels(float* out, std::size_t width, const float* weights, const Rows& rows,
                             std::size_t offset) {
  Eight sums[Vectors] = {};
  const std::size_t last = width - 8;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const float* row = rows[i] + offset;
    const float weight = weights[i];
#pragma GCC unroll 8
    for (std::size_t v = 0; v + 1 < Vectors; ++v) {
      sums[v] += weight * simd::at<8>(row + v * 8);
    }
    sums[Vectors - 1] += weight * simd::at<8>(row + last);
  }
#pragma GCC unroll 8
  for (std::size_t v = 0; v + 1 < Vectors; ++v) {
    simd::at<8>(out + v * 8) = sums[v];
  }
  simd::at<8>(out + last) = sums[Vectors - 1];
}

// The same with as few vectors as `width` needs, at most Vectors.
template <int Vectors>
LTZ_INLINE void mix_few_channels(float* out, std::size_t width, const float* weights,
                                 const Rows& rows, std::size_t offset) {
  if constexpr (Vectors > 0) {
    if (width > (Vectors - 1) * 8) {
      mix_channels<Vectors>(out, width, weights, rows, offset);
    } else {
      mix_few_channels<Vectors - 1>(out, width, weights, rows, offset);
    }
  }
}

// The same for any width.
LTZ_INLINE void mix_rows(float* out, std::size_t width, const float* weights, const Rows& rows,
                         std::size_t offset) {
  constexpr int kVectors = 8;  // as many sums stay in registers
  if (width < 8) {
    for (std::size_t c = 0; c < width; ++c) {
      out[c] = 0.0f;
      for (std::size_t i = 0; i < rows.size(); ++i) {
        out[c] += weights[i] * rows[i][offset + c];
      }
    }
    return;
  }
  std::size_t c = 0;
  for (; c + kVectors * 8 <= width; c += kVectors * 8) {
    mix_channels<kVectors>(out + c, kVectors * 8, weights, rows, offset + c);
  }
  if (c < width) {
    c = std::min(c, width - 8);
    mix_few_channels<kVectors>(out + c, width - c, weights, rows, offset + c);
  }
}

// Scores of a head are followed by others whose exponentials are next to nothing, up to a whole
// number of vectors.
std::size_t padded_keys(std::size_t keys) {
  return (keys + 15) / 16 * 16;
}

}  // namespace

std::size_t attention_scratch(int heads, std::size_t keys) {
  return static_cast<std::size_t>(heads) * padded_keys(keys);
}

LTZ_MULTIVERSION
void attend(std::span<float> out, std::span<const float> query, int heads, const Rows& keys,
            const Rows& values, std::span<float> scratch) {
  const std::size_t width = query.size() / static_cast<std::size_t>(heads);
  const float scale = 1.0f / std::sqrt(static_cast<float>(width));
  const std::size_t padded = padded_keys(keys.size());
  score_keys(scratch.data(), padded, query, width, keys, scale);
  for (std::size_t begin = 0; begin < query.size(); begin += width) {
    const std::span<float> weights = scratch.first(padded);
    scratch = scratch.subspan(padded);
    std::fill(weights.begin() + static_cast<std::ptrdiff_t>(keys.size()), weights.end(),
              -std::numeric_limits<float>::infinity());
    const float sum = exponentials_inline(weights);
    mix_rows(out.data() + begin, width, weights.data(), values, begin);
    for (float& value : out.subspan(begin, width)) {
      value /= sum;
    }
  }
}

LTZ_MULTIVERSION
void convolve(std::span<float> out, const Rows& inputs, std::size_t first,
              std::span<const float> kernel, int heads) {
  const std::size_t width = out.size() / static_cast<std::size_t>(heads);
  const std::size_t taps = kernel.size() / static_cast<std::size_t>(heads);
  for (std::size_t head = 0; head < static_cast<std::size_t>(heads); ++head) {
    mix_rows(out.data() + head * width, width, kernel.data() + head * taps + first, inputs,
             head * width);
  }
}

}  // namespace ltz::kernels
