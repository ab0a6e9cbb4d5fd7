#include "tests/support/hdf5_layouts.h"

#include <hdf5.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <stdexcept>

#include "formats/files/file.h"
#include "formats/hdf5/hdf5.h"
#include "tests/support/temporary_folder.h"

namespace ltz::test {
namespace {

void require(bool done) {
  if (!done) {
    throw std::runtime_error("the HDF5 library refuses to write a test's file");
  }
}

// An identifier that is closed on every way out.
class Id {
 public:
  Id(hid_t id, herr_t (*close)(hid_t)) : id_(id), close_(close) { require(id >= 0); }
  ~Id() { close_(id_); }
  Id(const Id&) = delete;
  Id& operator=(const Id&) = delete;
  operator hid_t() const { return id_; }

 private:
  hid_t id_;
  herr_t (*close_)(hid_t);
};

class Copier {
 public:
  explicit Copier(const Hdf5Layout& layout) : layout_(layout) {}

  void copy_group(hid_t from, hid_t to) const {
    copy_attributes(from, to);
    for (const std::string& name : names(from)) {
      const Id object(H5Oopen(from, name.c_str(), H5P_DEFAULT), H5Oclose);
      if (H5Iget_type(object) == H5I_DATASET) {
        copy_dataset(object, to, name);
        continue;
      }
      const Id list(H5Pcreate(H5P_GROUP_CREATE), H5Pclose);
      make_dense(list);
      const Id copy(H5Gcreate2(to, name.c_str(), H5P_DEFAULT, list, H5P_DEFAULT), H5Gclose);
      copy_group(object, copy);
    }
  }

  void make_dense(hid_t list) const {
    if (layout_.dense) {
      require(H5Pset_link_phase_change(list, 0, 0) >= 0);
      require(H5Pset_attr_phase_change(list, 0, 0) >= 0);
    }
  }

 private:
  static std::vector<std::string> names(hid_t group) {
    std::vector<std::string> names;
    H5Literate(
        group, H5_INDEX_NAME, H5_ITER_INC, nullptr,
        [](hid_t, const char* name, const H5L_info_t*, void* all) {
          static_cast<std::vector<std::string>*>(all)->emplace_back(name);
          return 0;
        },
        &names);
    return names;
  }

  hid_t type_in_file(hid_t type) const {
    if (layout_.wide && H5Tget_class(type) == H5T_FLOAT) {
      return H5Tcopy(H5T_IEEE_F64BE);
    }
    if (layout_.wide && H5Tget_class(type) == H5T_INTEGER) {
      return H5Tcopy(H5T_STD_I64BE);
    }
    return H5Tcopy(type);
  }

  void copy_attributes(hid_t from, hid_t to) const {
    H5O_info_t info;
    require(H5Oget_info(from, &info) >= 0);
    for (hsize_t i = 0; i < info.num_attrs; ++i) {
      const Id source(
          H5Aopen_by_idx(from, ".", H5_INDEX_NAME, H5_ITER_INC, i, H5P_DEFAULT, H5P_DEFAULT),
          H5Aclose);
      std::string name(100, '\0');
      name.resize(static_cast<std::size_t>(H5Aget_name(source, name.size(), name.data())));
      const Id type(H5Aget_type(source), H5Tclose);
      const Id space(H5Aget_space(source), H5Sclose);
      std::vector<char> data(static_cast<std::size_t>(H5Sget_simple_extent_npoints(space)) *
                             H5Tget_size(type));
      require(H5Aread(source, type, data.data()) >= 0);
      const Id new_type(type_in_file(type), H5Tclose);
      const Id copy(H5Acreate2(to, name.c_str(), new_type, space, H5P_DEFAULT, H5P_DEFAULT),
                    H5Aclose);
      require(H5Awrite(copy, type, data.data()) >= 0);
    }
  }

  void copy_dataset(hid_t source, hid_t to, const std::string& name) const {
    const Id type(H5Dget_type(source), H5Tclose);
    const Id space(H5Dget_space(source), H5Sclose);
    const auto count = static_cast<std::size_t>(H5Sget_simple_extent_npoints(space));
    const std::size_t size = H5Tget_size(type);
    std::vector<char> data(count * size);
    require(H5Dread(source, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data.data()) >= 0);
    const bool variable = layout_.variable_strings && H5Tget_class(type) == H5T_STRING;
    const Id list(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
    if (layout_.chunked && count != 0) {
      set_chunks(list, space, variable);
    }
    if (!variable) {
      const Id new_type(type_in_file(type), H5Tclose);
      write(to, name, new_type, type, space, list, data.data());
      return;
    }
    std::vector<std::string> strings;
    std::vector<const char*> pointers;
    for (std::size_t i = 0; i < count; ++i) {
      strings.emplace_back(&data[i * size], strnlen(&data[i * size], size));
    }
    std::ranges::transform(strings, std::back_inserter(pointers), &std::string::c_str);
    const Id new_type(H5Tcopy(H5T_C_S1), H5Tclose);
    H5Tset_size(new_type, H5T_VARIABLE);
    H5Tset_cset(new_type, H5T_CSET_UTF8);
    write(to, name, new_type, new_type, space, list, pointers.data());
  }

  void set_chunks(hid_t list, hid_t space, bool variable) const {
    std::vector<hsize_t> chunk(static_cast<std::size_t>(H5Sget_simple_extent_ndims(space)));
    H5Sget_simple_extent_dims(space, chunk.data(), nullptr);
    for (hsize_t& size : chunk) {
      size = std::min<hsize_t>(size, 5);
    }
    require(H5Pset_chunk(list, static_cast<int>(chunk.size()), chunk.data()) >= 0);
    if (layout_.gzip) {
      require(variable || H5Pset_shuffle(list) >= 0);
      require(H5Pset_deflate(list, 9) >= 0);
    }
    if (layout_.checksums && !variable) {
      require(H5Pset_fletcher32(list) >= 0);
    }
  }

  static void write(hid_t to, const std::string& name, hid_t file_type, hid_t type, hid_t space,
                    hid_t list, const void* data) {
    const Id copy(H5Dcreate2(to, name.c_str(), file_type, space, H5P_DEFAULT, list, H5P_DEFAULT),
                  H5Dclose);
    require(H5Dwrite(copy, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0);
  }

  const Hdf5Layout& layout_;
};

}  // namespace

std::vector<Hdf5Layout> hdf5_layouts() {
  return {
      {.name = "old"},
      {.name = "old, chunked", .chunked = true},
      {.name = "old, gzip", .chunked = true, .gzip = true, .variable_strings = true},
      {.name = "old, wide numbers", .wide = true},
      {.name = "old, behind a user block", .user_block = 512},
      {.name = "new, chunked", .latest = true, .chunked = true},
      {.name = "new, gzip", .latest = true, .chunked = true, .gzip = true, .checksums = true},
      {.name = "new, dense", .latest = true, .dense = true, .variable_strings = true},
      {.name = "new, all at once",
       .latest = true,
       .chunked = true,
       .gzip = true,
       .checksums = true,
       .dense = true,
       .wide = true,
       .user_block = 1024,
       .variable_strings = true},
  };
}

std::vector<std::byte> hdf5_in_layout(const Checkpoint& checkpoint, const Hdf5Layout& layout) {
  const TemporaryFolder folder;
  formats::write_hdf5(checkpoint, folder.file("plain.h5"));
  {
    const Copier copier(layout);
    const Id from(H5Fopen(folder.file("plain.h5").c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose);
    const Id access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
    const Id creation(H5Pcreate(H5P_FILE_CREATE), H5Pclose);
    require(H5Pset_libver_bounds(access, layout.latest ? H5F_LIBVER_LATEST : H5F_LIBVER_EARLIEST,
                                 H5F_LIBVER_LATEST) >= 0);
    require(H5Pset_userblock(creation, layout.user_block) >= 0);
    copier.make_dense(creation);
    const Id to(H5Fcreate(folder.file("other.h5").c_str(), H5F_ACC_TRUNC, creation, access),
                H5Fclose);
    copier.copy_group(from, to);
  }
  return formats::read_file(folder.file("other.h5"));
}

}  // namespace ltz::test
