#pragma once

// Preconditions of functions that are called often. LTZ_ASSERT(condition) ends the program when the
// caller broke one: in builds with LTZ_ASSERTIONS (dev and those of the sanitizers). A release does
// not evaluate it. What comes from a file or from a user is no precondition: that is an Error.
#ifdef LTZ_ASSERTIONS

#include <cstdio>
#include <cstdlib>

namespace ltz {

[[noreturn]] inline void assertion_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: expected %s\n", file, line, condition);
  std::abort();
}

}  // namespace ltz

#define LTZ_ASSERT(condition) \
  ((condition) ? static_cast<void>(0) : ltz::assertion_failed(#condition, __FILE__, __LINE__))

#else

#define LTZ_ASSERT(condition) static_cast<void>(sizeof((condition) ? 1 : 0))

#endif
