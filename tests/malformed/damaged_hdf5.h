#pragma once

#include <hdf5.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "malformed.h"
#include "model/checkpoint/checkpoint.h"

namespace ltz::test {

// The .h5 file of a checkpoint after a change with HDF5's own library.
Bytes h5_with(const Checkpoint& checkpoint, const std::function<void(hid_t)>& change);
// That of tiny_quantized_checkpoint(1).
Bytes h5_with(const std::function<void(hid_t)>& change);

// What a new dataset is like; its elements are bytes of `content`, repeated.
struct Dataset {
  hid_t type = H5T_STD_U8LE;
  std::vector<hsize_t> shape = {13, 8};
  hid_t creation = H5P_DEFAULT;
  int content = 0;
  bool written = true;
};

// Changes of an open file; objects go by their paths.
void replace(hid_t file, const std::string& path, const Dataset& dataset);
void unlink(hid_t file, const std::string& path);
void set_text(hid_t file, const std::string& object, const char* name, const std::string& text);
void set_integers(hid_t file, const std::string& object, const char* name,
                  const std::vector<std::int64_t>& values);

}  // namespace ltz::test
