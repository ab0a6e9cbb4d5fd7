#include "formats/hdf5/child_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "model/base/error.h"

namespace ltz::formats {
namespace {

using namespace std::chrono_literals;
using Bytes = std::vector<std::byte>;
using Clock = std::chrono::steady_clock;
using Catch::Matchers::Contains;

constexpr std::uint64_t kMiB = 1 << 20;
constexpr ChildLimits kLimits{.memory = 256 * kMiB, .answer = kMiB, .time = 20s};

Bytes answer(const ChildProcess::Work& work, const ChildLimits& limits = kLimits) {
  return ChildProcess(work, limits).answer();
}

std::string refusal(const ChildProcess::Work& work, const ChildLimits& limits = kLimits) {
  const auto start = Clock::now();
  std::string message = "answered";
  try {
    answer(work, limits);
  } catch (const FormatError& error) {
    message = error.what();
  }
  CHECK(Clock::now() - start < 5s);
  // No process is left over.
  CHECK(waitpid(-1, nullptr, WNOHANG) == -1);
  return message;
}

// What the compiler may not leave out.
std::atomic<std::size_t> sink = 0;

Bytes spin() {
  for (;;) {
    sink = sink + 1;
  }
}

}  // namespace

TEST_CASE("child process: what the work returns comes back") {
  CHECK(answer([] { return Bytes{}; }).empty());
  const Bytes large(kMiB, std::byte{7});
  CHECK(answer([&] { return large; }) == large);
}

TEST_CASE("child process: an error of the work is one of the caller") {
  CHECK(refusal([]() -> Bytes { throw FormatError("codes: damaged"); }) == "codes: damaged");
  CHECK(refusal([]() -> Bytes { throw FormatError(std::string(10'000, 'x')); }) ==
        std::string(4096, 'x'));
}

TEST_CASE("child process: a crash is an error") {
  CHECK(refusal([]() -> Bytes { std::abort(); }) == "the process that reads it crashed: Aborted");
  CHECK(refusal([]() -> Bytes {
          raise(SIGSEGV);
          return {};
        }) == "the process that reads it crashed: Segmentation fault");
  CHECK(refusal([]() -> Bytes { _exit(0); }) ==
        "the process that reads it ended without an answer");
  CHECK(refusal([]() -> Bytes {
          close(0);  // the pipe
          return spin();
        }) == "the process that reads it crashed: Killed");
}

TEST_CASE("child process: work that does not end is ended") {
  ChildLimits limits = kLimits;
  limits.time = 300ms;
  CHECK(refusal(spin, limits) == "the process that reads it took more than 0.3 s");
  CHECK(refusal(
            []() -> Bytes {
              for (;;) {
                pause();
              }
            },
            limits) == "the process that reads it took more than 0.3 s");
}

TEST_CASE("child process: there is an end to memory") {
  CHECK(refusal([]() -> Bytes {
          std::vector<Bytes> all;
          for (;;) {
            all.emplace_back(kMiB, std::byte{1});
          }
        }) == "the process that reads it needs more than 256 MiB of memory");
}

TEST_CASE("child process: an answer is not longer than expected") {
  CHECK(refusal([] { return Bytes(kMiB + 1); }) ==
        "the process that reads it answers 1048577 bytes, too many");
  // What took over the process may write to the pipe itself.
  CHECK(refusal([]() -> Bytes {
          const std::string half("\0\7\0\0\0\0\0\0\0half", 13);
          sink = static_cast<std::size_t>(write(0, half.data(), half.size()));
          _exit(0);
        }) == "the process that reads it ended without an answer");
}

TEST_CASE("child process: the work has no descriptor but the pipe") {
  const int file = open("/dev/null", O_RDONLY);
  REQUIRE(file > 0);
  const Bytes open_ones = answer([] {
    Bytes found;
    for (int descriptor = 1; descriptor < 1000; ++descriptor) {
      if (close(descriptor) == 0) {
        found.push_back(static_cast<std::byte>(descriptor));
      }
    }
    return found;
  });
  close(file);
  CHECK(open_ones.empty());
}

TEST_CASE("child process: the kernel refuses the work all but computing") {
  const Bytes reasons = answer([] {
    Bytes found;
    const auto note = [&](long result) {
      found.push_back(static_cast<std::byte>(result < 0 ? errno : 0));
    };
    char* const nothing[] = {nullptr};
    note(open("/dev/null", O_RDONLY));
    note(socket(AF_INET, SOCK_STREAM, 0));
    note(fork());
    note(execve("/bin/true", nothing, nothing));
    note(kill(getpid(), 0));
    note(syscall(SYS_tgkill, 1, 1, 0));
    return found;
  });
  CHECK(reasons == Bytes(6, std::byte{EPERM}));
}

TEST_CASE("child process: signals are as in a new process") {
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  sigset_t before;
  pthread_sigmask(SIG_BLOCK, &blocked, &before);
  const auto handler = signal(SIGTERM, SIG_IGN);
  CHECK_THAT(refusal([]() -> Bytes {
               raise(SIGTERM);
               return {};
             }),
             Contains("crashed: Terminated"));
  signal(SIGTERM, handler);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST_CASE("child process: who does not care for children gets the answer, too") {
  const auto handler = signal(SIGCHLD, SIG_IGN);
  CHECK(answer([] { return Bytes(3); }).size() == 3);
  CHECK(refusal([]() -> Bytes { std::abort(); }) ==
        "the process that reads it ended without an answer");
  signal(SIGCHLD, handler);
}

TEST_CASE("child process: signals do not disturb the waiting") {
  struct sigaction action = {};
  action.sa_handler = [](int) {};  // without SA_RESTART
  struct sigaction before = {};
  sigaction(SIGUSR1, &action, &before);
  const pthread_t waiting = pthread_self();
  std::atomic<bool> done = false;
  std::thread knocking([&] {
    while (!done) {
      pthread_kill(waiting, SIGUSR1);
      std::this_thread::sleep_for(1ms);
    }
  });
  CHECK(answer([] {
          const auto start = Clock::now();
          while (Clock::now() - start < 50ms) {
          }
          return Bytes(kMiB);
        }).size() == kMiB);
  done = true;
  knocking.join();
  sigaction(SIGUSR1, &before, nullptr);
}

TEST_CASE("child process: threads that allocate do not matter") {
  std::atomic<bool> done = false;
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      while (!done) {
        sink = sink + std::string(100, 'x').size() + Bytes(100'000).size();
      }
    });
  }
  for (int i = 0; i < 50; ++i) {
    CHECK(answer([i] { return Bytes(static_cast<std::size_t>(i) * 1000); }).size() ==
          static_cast<std::size_t>(i) * 1000);
  }
  done = true;
  for (std::thread& thread : threads) {
    thread.join();
  }
}

}  // namespace ltz::formats
