#pragma once

#include <hdf5.h>

#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include "formats/hdf5/handle.h"

namespace ltz::formats {

// A new file in memory, in the layout of HDF5.md: what its objects are is up to the functions
// below. Everything here throws FormatError for what the library or the layout refuses.
class Hdf5Output {
 public:
  // max_size: a longer file is refused.
  explicit Hdf5Output(std::size_t max_size = std::numeric_limits<std::size_t>::max());
  // The library writes to what is in here.
  Hdf5Output(const Hdf5Output&) = delete;
  Hdf5Output& operator=(const Hdf5Output&) = delete;

  // Of the root group.
  hid_t root() const { return file_.id(); }

  // The file's bytes, once everything is written.
  std::vector<std::byte> finish() &&;

  struct Memory {
    std::vector<std::byte> bytes;
    std::size_t max_size;
  };

 private:
  Memory memory_;
  Hdf5Handle file_;
};

Hdf5Handle create_hdf5_group(hid_t parent, const std::string& name);

// type: of the elements in memory and in the file. dims: of a scalar, none.
void write_hdf5_attribute(hid_t object, const char* name, hid_t type,
                          const std::vector<hsize_t>& dims, const void* data);
void write_hdf5_attribute(hid_t object, const char* name, const std::string& text);
void write_hdf5_dataset(hid_t parent, const char* name, hid_t type,
                        const std::vector<hsize_t>& dims, const void* data);
// Strings of one length, without NUL.
void write_hdf5_lines(hid_t parent, const char* name, const std::vector<std::string>& lines);

}  // namespace ltz::formats
