#include "heap_peak.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>

// GCC says it one way, Clang the other; other headers may pretend that GCC knows __has_feature.
#if defined(__SANITIZE_ADDRESS__)
#define LTZ_HAS_ASAN
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LTZ_HAS_ASAN
#endif
#endif

namespace {

std::atomic<std::int64_t> live_bytes = 0;
std::atomic<std::int64_t> peak_bytes = 0;

void count(std::size_t size) {
  const std::int64_t now =
      live_bytes.fetch_add(static_cast<std::int64_t>(size)) + static_cast<std::int64_t>(size);
  std::int64_t peak = peak_bytes;
  while (now > peak && !peak_bytes.compare_exchange_weak(peak, now)) {
  }
}

void discount(std::size_t size) {
  live_bytes -= static_cast<std::int64_t>(size);
}

}  // namespace

#ifdef LTZ_HAS_ASAN

// The sanitizer has its own allocator, which calls whoever asks. Declared in
// sanitizer/allocator_interface.h, which Clang installs and GCC does not.
extern "C" {
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void*, std::size_t),
                                              void (*on_free)(const volatile void*));
int __sanitizer_get_ownership(const volatile void* memory);
std::size_t __sanitizer_get_allocated_size(const volatile void* memory);
}

namespace {

void on_malloc(const volatile void*, std::size_t size) {
  count(size);
}

void on_free(const volatile void* memory) {
  if (memory != nullptr && __sanitizer_get_ownership(memory) != 0) {
    discount(__sanitizer_get_allocated_size(memory));
  }
}

[[maybe_unused]] const int kInstalled =
    __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);

}  // namespace

#elif defined(__GLIBC__)

// A program's own malloc() replaces the one of glibc in every library that it loads; operator new
// calls it as well. What glibc hands out may be a few bytes larger than what was asked for.
#include <malloc.h>

extern "C" {

void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t number, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
void __libc_free(void* memory);

void* malloc(std::size_t size) noexcept {
  void* memory = __libc_malloc(size);
  count(malloc_usable_size(memory));
  return memory;
}

void* calloc(std::size_t number, std::size_t size) noexcept {
  void* memory = __libc_calloc(number, size);
  count(malloc_usable_size(memory));
  return memory;
}

void* realloc(void* memory, std::size_t size) noexcept {
  const std::size_t old_size = malloc_usable_size(memory);
  void* moved = __libc_realloc(memory, size);
  if (moved != nullptr || size == 0) {
    discount(old_size);
    count(malloc_usable_size(moved));
  }
  return moved;
}

void* memalign(std::size_t alignment, std::size_t size) noexcept {
  void* memory = __libc_memalign(alignment, size);
  count(malloc_usable_size(memory));
  return memory;
}

void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  return memalign(alignment, size);
}

int posix_memalign(void** memory, std::size_t alignment, std::size_t size) noexcept {
  *memory = memalign(alignment, size);
  return *memory == nullptr ? ENOMEM : 0;
}

void free(void* memory) noexcept {
  discount(malloc_usable_size(memory));
  __libc_free(memory);
}

}  // extern "C"

#else
#error "no way is known to count what is allocated here"
#endif

namespace ltz::test {

HeapPeak::HeapPeak() : before_(live_bytes) {
  peak_bytes = before_;
}

std::int64_t HeapPeak::bytes() const {
  return peak_bytes - before_;
}

}  // namespace ltz::test
