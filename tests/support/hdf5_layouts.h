#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "model/checkpoint/checkpoint.h"

namespace ltz::test {

// How a .h5 file may be laid out, apart from how ltz does it.
struct Hdf5Layout {
  std::string name;
  bool latest = false;  // as of the library's version; otherwise as of 1998
  bool chunked = false;
  bool gzip = false;  // with shuffle; these need chunks
  bool checksums = false;
  bool dense = false;             // links and attributes in heaps
  bool wide = false;              // numbers of 64 bits, big-endian
  std::size_t user_block = 0;     // bytes
  bool variable_strings = false;  // in datasets
};

std::vector<Hdf5Layout> hdf5_layouts();

// A file of this layout, written by HDF5's own library.
std::vector<std::byte> hdf5_in_layout(const Checkpoint& checkpoint, const Hdf5Layout& layout);

}  // namespace ltz::test
