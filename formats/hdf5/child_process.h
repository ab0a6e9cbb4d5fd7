#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace ltz::formats {

struct ChildLimits {
  std::uint64_t memory = 0;           // bytes of address space, on top of what this process has
  std::uint64_t answer = 0;           // bytes
  std::chrono::milliseconds time{0};  // by the clock on the wall
};

// Work that may crash, hang or ask for all memory, done by a process of its own. It has this
// process's memory as it was, no descriptor but a pipe and no way to get another one, and it is
// gone when this object is. Threads of this process do not matter, as long as the work waits for
// none of their locks.
class ChildProcess {
 public:
  using Work = std::function<std::vector<std::byte>()>;

  // Throws IoError when there can be no other process.
  ChildProcess(const Work& work, const ChildLimits& limits);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // What the work returned; for one call. Throws FormatError with the text of the Error that it
  // threw, or with how the process came to its end.
  std::vector<std::byte> answer();

 private:
  void read(std::byte* out, std::size_t size);
  [[noreturn]] void fail();
  int end();

  ChildLimits limits_;
  std::chrono::steady_clock::time_point deadline_;
  int pipe_ = -1;
  pid_t process_ = -1;
};

}  // namespace ltz::formats
