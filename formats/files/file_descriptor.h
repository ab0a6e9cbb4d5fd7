#pragma once

#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <functional>
#include <string>
#include <system_error>

#include "model/base/error.h"

// What reading and writing a file have in common.
namespace ltz::formats {

// Throws IoError for what the operating system refused.
[[noreturn]] inline void throw_io_error(const std::filesystem::path& path, const std::string& what,
                                        int code = errno) {
  const std::string reason = std::generic_category().message(code);
  throw IoError(path.string() + ": " + (what.empty() ? "" : what + ": ") + reason);
}

// A new name beside the target, which create(name) has taken: it says whether, or why not in errno.
// Empty, with that errno, where no name can be had.
std::filesystem::path create_beside(const std::filesystem::path& target,
                                    const std::function<bool(const char*)>& create);

inline bool is_standard_stream(const std::filesystem::path& path) {
  return path == "-";
}

// Closes on every way out; commit() closes it first, to see the error.
class Descriptor {
 public:
  explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
  ~Descriptor() {
    if (descriptor_ > STDERR_FILENO) {
      ::close(descriptor_);
    }
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

}  // namespace ltz::formats
