#pragma once

#include <initializer_list>

// The one place that knows what instructions there are beyond those of the oldest processor that
// ltz runs on (x86-64-v2), and how a kernel gets the best ones. There are two ways:
//
// - LTZ_MULTIVERSION, for a function without instructions of its own: GCC compiles it once per set
//   of instructions, and the loader picks one. Other compilers make the version for any processor.
// - best(), for functions that are written or tuned for one set. LTZ_TARGET_… tells the compiler
//   which set that is.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
// Sanitizers do not work with the mechanism behind it.
#define LTZ_MULTIVERSION \
  __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define LTZ_MULTIVERSION
#endif

// A helper of such functions: it must become a part of each of them, to be compiled as they are.
#define LTZ_INLINE __attribute__((always_inline)) inline

#ifdef __x86_64__
#define LTZ_TARGET_AVX2 __attribute__((target("arch=x86-64-v3")))
#define LTZ_TARGET_AVX512 __attribute__((target("arch=x86-64-v4")))
#define LTZ_TARGET_VNNI __attribute__((target("arch=x86-64-v4,avx512vnni")))
#endif

namespace ltz::cpu {

// Sets of instructions. Each has those before it, too.
enum class Level {
  kAny,
  kAvx2,    // x86-64-v3: with FMA
  kAvx512,  // x86-64-v4
  kVnni     // and products of bytes
};

// The highest one that this processor has, found once.
inline Level level() {
  static const Level kLevel = [] {
#ifdef __x86_64__
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl")) {
      return __builtin_cpu_supports("avx512vnni") ? Level::kVnni : Level::kAvx512;
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
        __builtin_cpu_supports("bmi2")) {
      return Level::kAvx2;
    }
#endif
    return Level::kAny;
  }();
  return kLevel;
}

template <typename Function>
struct Version {
  Level level;
  Function function;
};

// The first of these that this processor can run; the last one is for any.
template <typename Function>
Function best(std::initializer_list<Version<Function>> versions) {
  for (const Version<Function>& version : versions) {
    if (version.level <= level()) {
      return version.function;
    }
  }
  return {};
}

}  // namespace ltz::cpu
