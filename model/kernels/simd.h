#pragma once

#include <cstddef>

#include "model/kernels/cpu.h"

// Types of several floats that a processor computes with together (the vector extension of GCC and
// Clang). A type that is wider than the processor's registers works too, it takes several of them.

namespace ltz::simd {

// VectorOf<Scalar, Lanes>::Type: that many scalars.
template <typename Scalar, int Lanes>
struct VectorOf {
  using Type __attribute__((vector_size(Lanes * sizeof(Scalar)))) = Scalar;
};

// Lanes floats that are added, multiplied and compared together.
template <int Lanes>
using Vector = typename VectorOf<float, Lanes>::Type;

// A vector in memory, of any alignment. A class, because Clang forgets the alignment of a vector
// type that comes out of a template.
template <typename Scalar, int Lanes>
struct __attribute__((packed, may_alias)) Unaligned {
  typename VectorOf<Scalar, Lanes>::Type lanes;
};

// Lanes floats in memory. References, because how a vector is passed or returned by value depends
// on the instruction set.
template <int Lanes>
LTZ_INLINE const Unaligned<float, Lanes>& at(const float* p) {
  return *reinterpret_cast<const Unaligned<float, Lanes>*>(p);
}

template <int Lanes>
LTZ_INLINE Unaligned<float, Lanes>& at(float* p) {
  return *reinterpret_cast<Unaligned<float, Lanes>*>(p);
}

using Four = Vector<4>;
using Eight = Vector<8>;
using Sixteen = Vector<16>;

struct Sum {
  template <typename Value>
  LTZ_INLINE static void apply(const Value& a, const Value& b, Value& y) {
    y = a + b;
  }
};

struct Smaller {
  template <typename Value>
  LTZ_INLINE static void apply(const Value& a, const Value& b, Value& y) {
    y = a < b ? a : b;
  }
};

struct Larger {
  template <typename Value>
  LTZ_INLINE static void apply(const Value& a, const Value& b, Value& y) {
    y = a > b ? a : b;
  }
};

// Reduces all lanes to one: combines the two halves, then the halves of the result, and so on.
template <typename Operation>
LTZ_INLINE float across(const Sixteen& x) {
  const Eight low = __builtin_shufflevector(x, x, 0, 1, 2, 3, 4, 5, 6, 7);
  const Eight high = __builtin_shufflevector(x, x, 8, 9, 10, 11, 12, 13, 14, 15);
  Eight eight;
  Operation::apply(low, high, eight);
  const Four first = __builtin_shufflevector(eight, eight, 0, 1, 2, 3);
  const Four second = __builtin_shufflevector(eight, eight, 4, 5, 6, 7);
  Four four;
  Operation::apply(first, second, four);
  float even;
  float odd;
  float result;
  Operation::apply(four[0], four[2], even);
  Operation::apply(four[1], four[3], odd);
  Operation::apply(even, odd, result);
  return result;
}

// term(0) + … + term(count - 1). Term i is added to sum i mod Lanes (16 or 32), so that no addition
// waits for the one before it, and the order is the same for every compiler and processor.
template <std::size_t Lanes, typename Term>
LTZ_INLINE float sum_of(std::size_t count, const Term& term) {
  float sums[Lanes] = {};
  std::size_t begin = 0;
  for (; begin + Lanes <= count; begin += Lanes) {
#pragma omp simd
    for (std::size_t i = 0; i < Lanes; ++i) {
      sums[i] += term(begin + i);
    }
  }
  for (std::size_t i = 0; begin + i < count; ++i) {
    sums[i] += term(begin + i);
  }
  Sixteen sum = at<16>(sums).lanes;
  if constexpr (Lanes == 32) {
    sum += at<16>(sums + 16).lanes;
  }
  return across<Sum>(sum);
}

}  // namespace ltz::simd
