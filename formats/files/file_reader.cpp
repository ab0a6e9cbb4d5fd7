#include <fcntl.h>
#include <sys/stat.h>

#include <array>

#include "formats/files/file.h"
#include "formats/files/file_descriptor.h"

namespace ltz::formats {
namespace {

namespace fs = std::filesystem;

// Reads up to `room` bytes; fewer only at the end of the file.
std::size_t read_fully(int descriptor, std::byte* out, std::size_t room, const fs::path& path) {
  std::size_t done = 0;
  while (done < room) {
    const ssize_t got = ::read(descriptor, out + done, room - done);
    if (got == 0) {
      break;
    }
    if (got < 0 && errno != EINTR) {
      throw_io_error(path, "cannot read");
    }
    done += got > 0 ? static_cast<std::size_t>(got) : 0;
  }
  return done;
}

}  // namespace

std::vector<std::byte> read_file(const fs::path& path) {
  const bool standard_input = is_standard_stream(path);
  const Descriptor descriptor(standard_input ? STDIN_FILENO
                                             : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (descriptor.get() < 0) {
    throw_io_error(path, "");
  }
  struct stat status = {};
  if (::fstat(descriptor.get(), &status) != 0) {
    throw_io_error(path, "");
  }
  if (S_ISDIR(status.st_mode)) {
    throw_io_error(path, "", EISDIR);
  }
  std::vector<std::byte> bytes;
  if (S_ISREG(status.st_mode)) {
    bytes.resize(static_cast<std::size_t>(status.st_size));
    bytes.resize(read_fully(descriptor.get(), bytes.data(), bytes.size(), path));
  }
  // A pipe, a file of /proc, or one that grows: the size is known at its end only.
  std::array<std::byte, 65536> chunk;
  while (const std::size_t got = read_fully(descriptor.get(), chunk.data(), chunk.size(), path)) {
    bytes.insert(bytes.end(), chunk.begin(), chunk.begin() + static_cast<std::ptrdiff_t>(got));
  }
  return bytes;
}

std::string read_text_file(const fs::path& path) {
  const std::vector<std::byte> bytes = read_file(path);
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

}  // namespace ltz::formats
