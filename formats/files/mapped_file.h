#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace ltz::formats {

// The bytes of a regular file without a copy: of a file of which little is read, little comes into
// memory. No bytes for everything that cannot be mapped (standard input, pipes, what is not there):
// read_file() reads it or says what is wrong with it.
class MappedFile {
 public:
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  // Valid as long as this lives.
  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  std::span<const std::byte> bytes_;
};

}  // namespace ltz::formats
