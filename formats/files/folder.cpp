#include "formats/files/folder.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

#include "formats/files/file.h"
#include "formats/files/file_descriptor.h"
#include "model/base/error.h"

namespace ltz::formats {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCannotMake = "cannot make this folder";

// The path without a slash at its end.
fs::path without_slash(const fs::path& path) {
  return path.has_filename() ? path : path.parent_path();
}

// A folder that is removed again unless it gets its name.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(const fs::path& target)
      : target_(target),
        path_(create_beside(target, [](const char* path) { return ::mkdir(path, 0777) == 0; })) {
    if (path_.empty()) {
      throw_io_error(target, kCannotMake);
    }
  }
  ~TemporaryFolder() {
    if (!path_.empty()) {
      std::error_code ignored;
      fs::remove_all(path_, ignored);
    }
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const fs::path& path() const { return path_; }

  void commit() {
    if (::rename(path_.c_str(), target_.c_str()) != 0) {
      throw_io_error(target_, kCannotMake);
    }
    path_.clear();
    sync_folder_of(target_);
  }

 private:
  fs::path target_;
  fs::path path_;
};

}  // namespace

void require_new_folder(const fs::path& path) {
  const fs::path target = without_slash(path);
  if (target == "-") {
    throw IoError("-: expected the name of a folder, found standard output");
  }
  std::error_code error;
  const fs::file_status status = fs::symlink_status(target, error);
  if (fs::exists(status) && !fs::is_directory(status)) {
    throw_io_error(path, kCannotMake, EEXIST);
  }
  if (fs::exists(status) && !fs::is_empty(target, error)) {
    throw_io_error(path, kCannotMake, error ? error.value() : ENOTEMPTY);
  }
  const TemporaryFolder never_committed(target);
}

void write_folder(const fs::path& path,
                  const std::map<std::string, std::vector<std::byte>>& files) {
  require_new_folder(path);
  TemporaryFolder folder(without_slash(path));
  for (const auto& [name, bytes] : files) {
    write_file_atomically(folder.path() / name, bytes);
  }
  folder.commit();
}

}  // namespace ltz::formats
