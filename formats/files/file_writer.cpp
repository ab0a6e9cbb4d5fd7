#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <iostream>
#include <random>
#include <system_error>
#include <utility>

#include "formats/files/file.h"
#include "formats/files/file_descriptor.h"
#include "model/base/error.h"

namespace ltz::formats {
namespace {

namespace fs = std::filesystem;

// Where symbolic links lead; still a link if they go round in circles.
fs::path follow_links(const fs::path& name) {
  fs::path path = name;
  std::error_code error;
  // The kernel gives up after 40 links as well.
  for (int i = 0; i < 40; ++i) {
    if (!fs::is_symlink(path, error)) {
      return path;
    }
    const fs::path next = fs::read_symlink(path, error);
    path = next.is_absolute() ? next : path.parent_path() / next;
  }
  return path;
}

}  // namespace

fs::path create_beside(const fs::path& target, const std::function<bool(const char*)>& create) {
  std::random_device random;
  for (int attempt = 0; attempt < 100; ++attempt) {
    std::array<char, 16> suffix = {};
    std::snprintf(suffix.data(), suffix.size(), ".tmp%08x", random());
    fs::path path = target;
    path += suffix.data();
    if (create(path.c_str())) {
      return path;
    }
    if (errno != EEXIST) {
      break;
    }
  }
  return {};
}

void sync_folder_of(const fs::path& file) {
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  const Descriptor descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // A folder that may be written but not listed cannot be opened; the file itself is safe then.
  if (descriptor.get() < 0 && errno == EACCES) {
    return;
  }
  // EINVAL: the file system does not know this operation.
  if (descriptor.get() < 0 || (::fsync(descriptor.get()) != 0 && errno != EINVAL)) {
    throw_io_error(file, "cannot sync the folder");
  }
}

bool is_written_directly(const fs::path& path) {
  struct stat status = {};
  // /dev/stdout may be a file that the shell goes on appending to.
  return is_standard_stream(path) || path == "/dev/stdout" ||
         (::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode));
}

AtomicFile::AtomicFile(fs::path target) : name_(std::move(target)) {
  if (is_written_directly(name_)) {
    open_directly();
    return;
  }
  struct stat status = {};
  const bool exists = ::stat(name_.c_str(), &status) == 0;
  target_ = follow_links(name_);
  std::error_code error;
  if (fs::is_symlink(target_, error)) {
    throw_io_error(name_, "cannot write", ELOOP);
  }
  open_temporary();
  if (exists && ::fchmod(descriptor_, status.st_mode & 07777) != 0) {
    const int code = errno;
    ::close(descriptor_);
    ::unlink(path_.c_str());
    throw_io_error(name_, "cannot keep the permissions", code);
  }
}

void AtomicFile::open_directly() {
  target_ = path_ = name_;
  if (is_standard_stream(name_) || name_ == "/dev/stdout") {
    // What was printed before stays before.
    std::cout.flush();
    std::fflush(stdout);
    descriptor_ = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
  } else {
    descriptor_ = ::open(name_.c_str(), O_WRONLY | O_CLOEXEC);
  }
  if (descriptor_ < 0) {
    throw_io_error(name_, "cannot write");
  }
}

void AtomicFile::open_temporary() {
  // Not mkstemp: it creates files that only their owner can read.
  path_ = create_beside(target_, [&](const char* path) {
    descriptor_ = ::open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    return descriptor_ >= 0;
  });
  if (path_.empty()) {
    throw_io_error(name_, "cannot write");
  }
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
    if (temporary()) {
      ::unlink(path_.c_str());
    }
  }
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR) {
      throw_io_error(name_, "cannot write");
    }
    bytes = bytes.subspan(written > 0 ? static_cast<std::size_t>(written) : 0);
  }
}

void AtomicFile::commit() {
  // EINVAL: a pipe, a terminal or a file system without this operation.
  if (::fsync(descriptor_) != 0 && errno != EINVAL && errno != ENOTSUP) {
    throw_io_error(name_, "cannot write");
  }
  if (::close(std::exchange(descriptor_, -1)) != 0) {
    const int code = errno;
    if (temporary()) {
      ::unlink(path_.c_str());
    }
    throw_io_error(name_, "cannot write", code);
  }
  if (!temporary()) {
    return;
  }
  if (::rename(path_.c_str(), target_.c_str()) != 0) {
    const int code = errno;
    ::unlink(path_.c_str());
    throw_io_error(name_, "cannot replace", code);
  }
  sync_folder_of(target_);
}

void write_file_atomically(const fs::path& path, std::span<const std::byte> bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

void require_writable(const fs::path& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) {
    throw_io_error(path, "cannot write", EISDIR);
  }
  if (!is_written_directly(path)) {
    const AtomicFile never_committed(path);
  } else if (!is_standard_stream(path) && ::access(path.c_str(), W_OK) != 0) {
    throw_io_error(path, "cannot write");
  }
}

bool same_file(const fs::path& a, const fs::path& b) {
  if (is_written_directly(a) || is_written_directly(b)) {
    return false;
  }
  std::error_code error;
  if (fs::equivalent(a, b, error) && !error) {
    return true;
  }
  const auto resolved = [&error](const fs::path& path) {
    return fs::weakly_canonical(fs::absolute(follow_links(path)), error);
  };
  const fs::path first = resolved(a);
  return !error && first == resolved(b) && !error;
}

void require_different_files(const fs::path& input, const fs::path& output) {
  if (same_file(input, output)) {
    throw ConfigError(output.string() + ": the output would overwrite the input " + input.string());
  }
}

}  // namespace ltz::formats
