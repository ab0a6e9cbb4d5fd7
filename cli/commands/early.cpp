// Compiled for the oldest x86-64 (cli/toolchain.cmake), and without headers that have code.
#include "cli/commands/early.h"

#include <signal.h>
#include <unistd.h>

#include "cli/terminal/exit_codes.h"

namespace ltz::cli {
namespace {

struct sigaction interrupts;

#ifdef __x86_64__
void write_text(const char* text) {
  int size = 0;
  while (text[size] != 0) {
    ++size;
  }
  // There is nothing to be done about a message that cannot be written.
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text, size);
}

// The first of what x86-64-v2 has beyond the oldest x86-64 that is not there, or null.
const char* missing_feature() {
  __builtin_cpu_init();
  if (__builtin_cpu_supports("sse3") == 0) {
    return "SSE3";
  }
  if (__builtin_cpu_supports("ssse3") == 0) {
    return "SSSE3";
  }
  if (__builtin_cpu_supports("sse4.1") == 0) {
    return "SSE4.1";
  }
  if (__builtin_cpu_supports("sse4.2") == 0) {
    return "SSE4.2";
  }
  return __builtin_cpu_supports("popcnt") == 0 ? "POPCNT" : nullptr;
}

void check_processor() {
  if (const char* missing = missing_feature()) {
    write_text("ltz: expected a processor with x86-64-v2 (of 2009 or later), found one without ");
    write_text(missing);
    write_text("\n");
    ::_exit(kBadInput);
  }
}
#else
void check_processor() {}
#endif

void run_early() {
  check_processor();
  struct sigaction ignore = {};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGINT, &ignore, &interrupts);
}

// The loader calls these before the initialisers of all libraries.
[[gnu::section(".preinit_array"), gnu::used]] void (*const kRunEarly)() = run_early;

}  // namespace

void restore_interrupts() {
  ::sigaction(SIGINT, &interrupts, nullptr);
}

}  // namespace ltz::cli
