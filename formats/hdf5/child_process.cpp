#include "formats/hdf5/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <new>
#include <span>
#include <string>
#include <system_error>

#include "formats/bytes/bytes.h"
#include "formats/files/file.h"
#include "formats/hdf5/system_calls.h"
#include "model/base/error.h"

namespace ltz::formats {
namespace {

// An answer is this, its size (8 bytes), and what there is to say.
enum AnswerKind : std::uint8_t { kResult = 0, kError = 1 };
constexpr std::size_t kFront = 9;
// Of an error. The process may have been taken over by what it read.
constexpr std::size_t kMaxMessage = 4096;
// In the child, the pipe is its only descriptor.
constexpr int kPipe = 0;

// A sanitizer opens pipes and files while it looks at something.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#elif defined(__has_feature)
constexpr bool kSanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
constexpr bool kSanitized = false;
#endif

[[noreturn]] void throw_cannot_start() {
  throw IoError("cannot start another process: " + std::generic_category().message(errno));
}

// Bytes of address space that this process has.
std::uint64_t used_memory() {
  const std::string pages = read_text_file("/proc/self/statm");
  return std::stoull(pages) * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

void limit(decltype(RLIMIT_AS) resource, std::uint64_t value) {
  rlimit now{};
  if (getrlimit(resource, &now) != 0) {
    _exit(EXIT_FAILURE);
  }
  now.rlim_max = std::min<rlim_t>(now.rlim_max, value);
  now.rlim_cur = now.rlim_max;
  if (setrlimit(resource, &now) != 0) {
    _exit(EXIT_FAILURE);
  }
}

// What the process may do from now on. used: memory in the moment of the fork.
void confine(int pipe, pid_t parent, std::uint64_t used, const ChildLimits& limits) {
  for (int number = 1; number < NSIG; ++number) {
    signal(number, SIG_DFL);
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  // Nobody would end it if the parent were killed.
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent) {
    _exit(EXIT_FAILURE);
  }
  if (dup2(pipe, kPipe) < 0) {
    _exit(EXIT_FAILURE);
  }
  closefrom(kPipe + 1);
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_FSIZE, 0);
  limit(RLIMIT_AS, used + limits.memory);
  limit(RLIMIT_CPU, static_cast<std::uint64_t>(limits.time.count()) / 1000 + 1);
  if (!kSanitized) {
    limit(RLIMIT_NOFILE, kPipe + 1);
    // Against code that a file might bring with it. Kernels without it have the limits alone.
    allow_only_computing();
  }
}

void send(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::write(kPipe, bytes.data(), bytes.size());
    if (sent < 0 && errno != EINTR) {
      _exit(EXIT_FAILURE);
    }
    bytes = bytes.subspan(sent > 0 ? static_cast<std::size_t>(sent) : 0);
  }
}

void send_answer(AnswerKind kind, std::span<const std::byte> bytes) {
  std::vector<std::byte> front = {static_cast<std::byte>(kind)};
  put_integer<std::uint64_t>(front, bytes.size());
  send(front);
  send(bytes);
}

void send_error(std::string_view text) {
  send_answer(kError, std::as_bytes(std::span(text.substr(0, kMaxMessage))));
}

std::string seconds(std::chrono::milliseconds time) {
  const auto tenths = (time.count() + 99) / 100;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s";
}

std::string megabytes(std::uint64_t bytes) {
  return std::to_string(bytes >> 20) + " MiB";
}

// Nothing is cleaned up: what is inherited belongs to the parent.
[[noreturn]] void do_and_exit(const ChildProcess::Work& work, const ChildLimits& limits) {
  try {
    send_answer(kResult, work());
  } catch (const std::bad_alloc&) {
    send_error("the process that reads it needs more than " + megabytes(limits.memory) +
               " of memory");
  } catch (const std::exception& error) {
    send_error(error.what());
  }
  _exit(EXIT_SUCCESS);
}

}  // namespace

ChildProcess::ChildProcess(const Work& work, const ChildLimits& limits)
    : limits_(limits), deadline_(std::chrono::steady_clock::now() + limits.time) {
  const std::uint64_t used = used_memory();
  const pid_t parent = getpid();
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw_cannot_start();
  }
  process_ = fork();
  if (process_ == 0) {
    confine(ends[1], parent, used, limits);
    do_and_exit(work, limits);
  }
  const int reason = errno;
  close(ends[1]);
  pipe_ = ends[0];
  if (process_ < 0) {
    close(pipe_);
    errno = reason;
    throw_cannot_start();
  }
}

ChildProcess::~ChildProcess() {
  end();
  close(pipe_);
}

std::vector<std::byte> ChildProcess::answer() {
  std::array<std::byte, kFront> front{};
  read(front.data(), front.size());
  const bool error = front[0] != static_cast<std::byte>(kResult);
  const auto size = get_integer<std::uint64_t>(front.data() + 1);
  if (size > (error ? kMaxMessage : limits_.answer)) {
    throw FormatError("the process that reads it answers " + std::to_string(size) +
                      " bytes, too many");
  }
  std::vector<std::byte> bytes(static_cast<std::size_t>(size));
  read(bytes.data(), bytes.size());
  if (error) {
    throw FormatError(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  }
  return bytes;
}

void ChildProcess::read(std::byte* out, std::size_t size) {
  using std::chrono::milliseconds;
  while (size > 0) {
    const auto left = std::chrono::ceil<milliseconds>(deadline_ - std::chrono::steady_clock::now());
    if (left.count() <= 0) {
      throw FormatError("the process that reads it took more than " + seconds(limits_.time));
    }
    pollfd ready{pipe_, POLLIN, 0};
    constexpr milliseconds::rep kLongest = 1'000'000;
    if (poll(&ready, 1, static_cast<int>(std::min(left.count(), kLongest))) <= 0) {
      continue;  // a signal, or late
    }
    const ssize_t got = ::read(pipe_, out, size);
    if (got == 0 || (got < 0 && errno != EINTR)) {
      fail();
    }
    out += std::max<ssize_t>(got, 0);
    size -= static_cast<std::size_t>(std::max<ssize_t>(got, 0));
  }
}

// The pipe is closed: it has ended, or will not do anything else.
void ChildProcess::fail() {
  const int status = end();
  if (!WIFSIGNALED(status)) {
    throw FormatError("the process that reads it ended without an answer");
  }
  const char* signal = sigdescr_np(WTERMSIG(status));
  throw FormatError(std::string("the process that reads it crashed: ") +
                    (signal == nullptr ? "unknown signal" : signal));
}

int ChildProcess::end() {
  int status = 0;
  if (process_ > 0) {
    kill(process_, SIGKILL);
    while (waitpid(process_, &status, 0) < 0 && errno == EINTR) {
    }
    process_ = -1;
  }
  return status;
}

}  // namespace ltz::formats
