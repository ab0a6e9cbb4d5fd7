#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace ltz::formats {

// The whole file; "-" is standard input. Throws IoError, naming the file, when it cannot be read or
// is a directory.
std::vector<std::byte> read_file(const std::filesystem::path& path);
std::string read_text_file(const std::filesystem::path& path);

// A file that is there completely or not at all: it is written under another name in the target's
// folder and gets the target's name on commit(). Without commit() nothing is left behind. What is
// not a regular file ("-" for standard output, /dev/null, a pipe) is written directly; a symbolic
// link stays one, and what it points to is replaced. All errors are IoErrors that name the target.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path target);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  // The file that commit() renames: for libraries that open by name.
  const std::filesystem::path& path() const { return path_; }
  // Appends.
  void write(std::span<const std::byte> bytes);
  // Makes the bytes durable under the target's name: fsync, rename, fsync of the folder.
  void commit();

 private:
  bool temporary() const { return path_ != target_; }
  void open_directly();
  void open_temporary();

  std::filesystem::path name_;    // as the user gave it
  std::filesystem::path target_;  // where symbolic links lead
  std::filesystem::path path_;
  int descriptor_ = -1;
};

// Whether AtomicFile writes without another name: to "-", and to what is there and no regular file.
bool is_written_directly(const std::filesystem::path& path);

// Makes the names in the folder that a file or folder is in durable. Throws IoError, naming the
// file.
void sync_folder_of(const std::filesystem::path& file);

void write_file_atomically(const std::filesystem::path& path, std::span<const std::byte> bytes);

// Finds out, before any work is done, whether AtomicFile could write here. Leaves nothing behind;
// pipes and devices are not opened. Throws IoError, naming the file.
void require_writable(const std::filesystem::path& path);

// Whether both are names of the same regular file, which need not be there yet.
bool same_file(const std::filesystem::path& a, const std::filesystem::path& b);

// Throws ConfigError when both are names of the same file: writing would destroy the input.
void require_different_files(const std::filesystem::path& input,
                             const std::filesystem::path& output);

}  // namespace ltz::formats
