#include "cli/options/threads.h"

#include <fmt/format.h>
#include <omp.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "cli/options/values.h"
#include "cli/terminal/terminal.h"

namespace ltz::cli {
namespace {

// More are of no use; with a hundred times as many, libgomp overflows the stack.
constexpr int kMostThreads = 1024;

// Takes as much of the stack as a thread may need: Eigen keeps small matrices there.
[[gnu::noinline]] void touch_stack() {
  volatile char room[std::size_t{256} << 10];
  room[0] = 0;
  static_cast<void>(room[0]);
}

// Whether libgomp can start so many threads. It ends the process where it cannot, with the exit
// code of a failed gate, so that another process has to try.
bool can_start(int threads) {
  const pid_t child = ::fork();
  if (child < 0) {
    return false;
  }
  if (child == 0) {
    ::close(STDERR_FILENO);
    const rlimit no_core = {};
    ::setrlimit(RLIMIT_CORE, &no_core);
    std::atexit([] { ::_exit(1); });  // nothing else that happens at the end
#pragma omp parallel num_threads(threads)
    touch_stack();
    ::_exit(0);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

void add_threads(CLI::App& command, int& threads) {
  command.add_option("--threads", threads, "Threads to use")->check(between(1, kMostThreads));
}

void use_threads(int threads) {
  int possible = std::min(threads, kMostThreads);
  while (possible > 1 && !can_start(possible)) {
    possible /= 2;
  }
  if (possible < threads) {
    say(fmt::format("{} threads are more than can be started here: {} will do the work", threads,
                    possible));
  }
  // Loops inside of parallel loops have one thread, whatever OMP_MAX_ACTIVE_LEVELS says.
  omp_set_max_active_levels(1);
  omp_set_num_threads(possible);
}

}  // namespace ltz::cli
