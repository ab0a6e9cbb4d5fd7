// Preloaded into ltz: the Nth call of a function goes wrong. FAULT="read:3:short" reads half of
// what was wanted, "write:3:short" writes half of it, "new:3:fail" finds no memory.
// FAULT="new:0:count" prints the number of calls at the end.

#include <dlfcn.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

namespace {

struct Fault {
  char call[16] = {};
  long number = 0;
  char kind[16] = {};
};

Fault fault;
std::atomic<long> calls{0};
std::atomic<bool> in_main{false};

__attribute__((constructor)) void read_fault() {
  if (const char* text = std::getenv("FAULT")) {
    std::sscanf(text, "%15[^:]:%ld:%15s", fault.call, &fault.number, fault.kind);
  }
}

__attribute__((destructor)) void report() {
  if (std::strcmp(fault.kind, "count") == 0) {
    std::fprintf(stderr, "calls %ld\n", calls.load());
  }
}

bool strikes(const char* call) {
  return in_main && std::strcmp(fault.call, call) == 0 && ++calls == fault.number;
}

template <typename Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" sighandler_t signal(int number, sighandler_t handler) noexcept {
  static auto* const real = next<sighandler_t(int, sighandler_t)>("signal");
  in_main = true;
  return real(number, handler);
}

extern "C" ssize_t read(int descriptor, void* bytes, std::size_t size) {
  static auto* const real = next<ssize_t(int, void*, std::size_t)>("read");
  return real(descriptor, bytes, size > 1 && strikes("read") ? size / 2 : size);
}

extern "C" ssize_t write(int descriptor, const void* bytes, std::size_t size) {
  static auto* const real = next<ssize_t(int, const void*, std::size_t)>("write");
  return real(descriptor, bytes, size > 1 && strikes("write") ? size / 2 : size);
}

// What C++ allocates; libraries in C have their own checks.
void* operator new(std::size_t size) {
  void* memory = strikes("new") ? nullptr : std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) {
    throw std::bad_alloc();
  }
  return memory;
}

void operator delete(void* memory) noexcept {
  std::free(memory);
}

void operator delete(void* memory, std::size_t /*size*/) noexcept {
  std::free(memory);
}
