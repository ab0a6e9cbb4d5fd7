#include "formats/hdf5/output.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "formats/bytes/bytes.h"
#include "model/base/error.h"

namespace ltz::formats {
namespace {

// The types in the file are also given as those in memory.
static_assert(std::endian::native == std::endian::little);

// Strings of one length are plain bytes: the same in every file, and without a heap of their own.
Hdf5Handle text_type(std::size_t length) {
  Hdf5Handle type(H5Tcopy(H5T_C_S1), H5Tclose, "string type");
  checked(H5Tset_size(type.id(), std::max<std::size_t>(length, 1)), "string type");
  checked(H5Tset_cset(type.id(), H5T_CSET_UTF8), "string type");
  checked(H5Tset_strpad(type.id(), H5T_STR_NULLPAD), "string type");
  return type;
}

Hdf5Handle space_of(const std::vector<hsize_t>& dims) {
  const auto rank = static_cast<int>(dims.size());
  return {rank == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(rank, dims.data(), nullptr),
          H5Sclose, "shape"};
}

// A property list that keeps the time of writing out of the file.
Hdf5Handle without_times(hid_t property_class) {
  Hdf5Handle list(H5Pcreate(property_class), H5Pclose, "property list");
  checked(H5Pset_obj_track_times(list.id(), false), "property list");
  return list;
}

// The memory of a file that the library writes (driver "core" without a backing store); it stays
// with us when the file is closed. H5Fget_file_image would be simpler, but its copy changes a flag
// in the superblock without that block's checksum.
void* file_malloc(std::size_t size, H5FD_file_image_op_t, void* memory) {
  auto& [bytes, max_size] = *static_cast<Hdf5Output::Memory*>(memory);
  try {
    if (size > max_size) {
      return nullptr;
    }
    bytes.resize(size);
    return bytes.data();
  } catch (...) {
    return nullptr;
  }
}
void* file_realloc(void*, std::size_t size, H5FD_file_image_op_t operation, void* memory) {
  return file_malloc(size, operation, memory);
}
void* file_memcpy(void* to, const void* from, std::size_t size, H5FD_file_image_op_t, void*) {
  return std::memcpy(to, from, size);
}
herr_t file_free(void*, H5FD_file_image_op_t, void*) {
  return 0;
}
void* file_udata_copy(void* memory) {
  return memory;
}
herr_t file_udata_free(void*) {
  return 0;
}

// In the layout of HDF5 1.8, whose metadata has checksums.
Hdf5Handle create_file(Hdf5Output::Memory& memory) {
  constexpr std::size_t kIncrement = std::size_t{1} << 20;
  const Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, "property list");
  checked(H5Pset_fapl_core(access.id(), kIncrement, false), "memory driver");
  checked(H5Pset_libver_bounds(access.id(), H5F_LIBVER_V18, H5F_LIBVER_V18), "file version");
  H5FD_file_image_callbacks_t callbacks{file_malloc,     file_memcpy,     file_realloc, file_free,
                                        file_udata_copy, file_udata_free, &memory};
  checked(H5Pset_file_image_callbacks(access.id(), &callbacks), "memory driver");
  const Hdf5Handle creation = without_times(H5P_FILE_CREATE);
  return {H5Fcreate("ltz.h5", H5F_ACC_TRUNC, creation.id(), access.id()), H5Fclose, "new file"};
}

// The file's length is in its superblock (version 2: "end of file address"); the memory behind it
// is what the driver got in advance.
void cut_to_length(std::vector<std::byte>& bytes) {
  constexpr std::size_t kEndOffset = 28;
  const auto size = get_integer<std::uint64_t>(bytes.data() + kEndOffset);
  if (size > bytes.size()) {
    throw FormatError("the HDF5 library wrote an unknown superblock");
  }
  bytes.resize(size);
}

}  // namespace

Hdf5Output::Hdf5Output(std::size_t max_size) : memory_{{}, max_size}, file_(create_file(memory_)) {}

std::vector<std::byte> Hdf5Output::finish() && {
  checked(H5Fflush(file_.id(), H5F_SCOPE_GLOBAL), "flush");
  file_.close("close");
  cut_to_length(memory_.bytes);
  return std::move(memory_.bytes);
}

Hdf5Handle create_hdf5_group(hid_t parent, const std::string& name) {
  const Hdf5Handle list = without_times(H5P_GROUP_CREATE);
  // All links stay in the object header, which has a checksum; the heap for many links has none.
  constexpr unsigned kNeverDense = 65535;
  checked(H5Pset_link_phase_change(list.id(), kNeverDense, kNeverDense - 1), name);
  return {H5Gcreate2(parent, name.c_str(), H5P_DEFAULT, list.id(), H5P_DEFAULT), H5Gclose, name};
}

void write_hdf5_attribute(hid_t object, const char* name, hid_t type,
                          const std::vector<hsize_t>& dims, const void* data) {
  const Hdf5Handle space = space_of(dims);
  Hdf5Handle attribute(H5Acreate2(object, name, type, space.id(), H5P_DEFAULT, H5P_DEFAULT),
                       H5Aclose, name);
  checked(H5Awrite(attribute.id(), type, data), name);
  attribute.close(name);
}

void write_hdf5_attribute(hid_t object, const char* name, const std::string& text) {
  const Hdf5Handle type = text_type(text.size());
  write_hdf5_attribute(object, name, type.id(), {}, text.c_str());
}

void write_hdf5_dataset(hid_t parent, const char* name, hid_t type,
                        const std::vector<hsize_t>& dims, const void* data) {
  const Hdf5Handle space = space_of(dims);
  const Hdf5Handle list = without_times(H5P_DATASET_CREATE);
  Hdf5Handle dataset(
      H5Dcreate2(parent, name, type, space.id(), H5P_DEFAULT, list.id(), H5P_DEFAULT), H5Dclose,
      name);
  checked(H5Dwrite(dataset.id(), type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data), name);
  dataset.close(name);
}

void write_hdf5_lines(hid_t parent, const char* name, const std::vector<std::string>& lines) {
  // Far above any dictionary; one absurdly long word would make a padded table of gigabytes.
  constexpr std::size_t kMaxTable = std::size_t{1} << 30;
  std::size_t length = 1;
  for (const std::string& line : lines) {
    if (line.find('\0') != std::string::npos) {
      throw FormatError("a NUL byte in \"" + line + "\"");
    }
    length = std::max(length, line.size());
  }
  if (!lines.empty() && length > kMaxTable / lines.size()) {
    throw FormatError(std::to_string(lines.size()) + " words of up to " + std::to_string(length) +
                      " bytes are too many");
  }
  std::string table(length * lines.size(), '\0');
  for (std::size_t i = 0; i < lines.size(); ++i) {
    lines[i].copy(table.data() + i * length, lines[i].size());
  }
  const Hdf5Handle type = text_type(length);
  write_hdf5_dataset(parent, name, type.id(), {lines.size()}, table.data());
}

}  // namespace ltz::formats
