#include "formats/files/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "formats/files/file_descriptor.h"

namespace ltz::formats {

MappedFile::MappedFile(const std::filesystem::path& path) {
  // A pipe must be left to read_file(): to open it would already take what is in it.
  struct stat status = {};
  if (is_standard_stream(path) || ::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return;
  }
  const Descriptor descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (descriptor.get() < 0 || ::fstat(descriptor.get(), &status) != 0 || status.st_size <= 0) {
    return;
  }
  const auto size = static_cast<std::size_t>(status.st_size);
  void* start = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor.get(), 0);
  if (start != MAP_FAILED) {
    bytes_ = {static_cast<const std::byte*>(start), size};
  }
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) {
    ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
  }
}

}  // namespace ltz::formats
