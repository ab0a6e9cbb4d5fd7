#include "damaged_hdf5.h"

#include <unistd.h>
#include <catch2/catch.hpp>
#include <filesystem>

#include "formats/files/file.h"
#include "formats/hdf5/hdf5.h"
#include "tests/support/tiny_checkpoint.h"

namespace ltz::test {

Bytes h5_with(const std::function<void(hid_t)>& change) {
  return h5_with(tiny_quantized_checkpoint(1), change);
}

Bytes h5_with(const Checkpoint& checkpoint, const std::function<void(hid_t)>& change) {
  const std::filesystem::path path = std::filesystem::temp_directory_path() /
                                     ("ltz-malformed-" + std::to_string(getpid()) + ".h5");
  formats::write_hdf5(checkpoint, path);
  const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  change(file);
  REQUIRE(H5Fclose(file) >= 0);
  Bytes bytes = formats::read_file(path);
  std::filesystem::remove(path);
  return bytes;
}

void replace(hid_t file, const std::string& path, const Dataset& dataset) {
  if (H5Lexists(file, path.c_str(), H5P_DEFAULT) > 0) {
    H5Ldelete(file, path.c_str(), H5P_DEFAULT);
  }
  const int rank = static_cast<int>(dataset.shape.size());
  const hid_t space = H5Screate_simple(rank, dataset.shape.data(), nullptr);
  const hid_t id = H5Dcreate2(file, path.c_str(), dataset.type, space, H5P_DEFAULT,
                              dataset.creation, H5P_DEFAULT);
  REQUIRE(id >= 0);
  if (dataset.written) {
    const auto size =
        static_cast<std::size_t>(H5Sget_simple_extent_npoints(space)) * H5Tget_size(dataset.type);
    const std::vector<std::uint8_t> bytes(size, static_cast<std::uint8_t>(dataset.content));
    REQUIRE(H5Dwrite(id, dataset.type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data()) >= 0);
  }
  H5Dclose(id);
  H5Sclose(space);
}

void unlink(hid_t file, const std::string& path) {
  REQUIRE(H5Ldelete(file, path.c_str(), H5P_DEFAULT) >= 0);
}

void set_text(hid_t file, const std::string& object, const char* name, const std::string& text) {
  const hid_t id = H5Oopen(file, object.c_str(), H5P_DEFAULT);
  H5Adelete(id, name);
  const hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, std::max<std::size_t>(text.size(), 1));
  const hid_t space = H5Screate(H5S_SCALAR);
  const hid_t attribute = H5Acreate2(id, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  REQUIRE(H5Awrite(attribute, type, text.data()) >= 0);
  H5Aclose(attribute);
  H5Sclose(space);
  H5Tclose(type);
  H5Oclose(id);
}

void set_integers(hid_t file, const std::string& object, const char* name,
                  const std::vector<std::int64_t>& values) {
  const hid_t id = H5Oopen(file, object.c_str(), H5P_DEFAULT);
  H5Adelete(id, name);
  const hsize_t count = values.size();
  const hid_t space = H5Screate_simple(1, &count, nullptr);
  const hid_t attribute = H5Acreate2(id, name, H5T_STD_I64LE, space, H5P_DEFAULT, H5P_DEFAULT);
  REQUIRE(H5Awrite(attribute, H5T_NATIVE_INT64, values.data()) >= 0);
  H5Aclose(attribute);
  H5Sclose(space);
  H5Oclose(id);
}

}  // namespace ltz::test
