#include "formats/hdf5_image.h"

#include <algorithm>
#include <atomic>

#include "formats/ltz_float16.h"
#include "model/error.h"

namespace ltz::formats {
namespace {

constexpr int kMaxRank = 8;

// The memory driver gets the caller's bytes themselves. The file is opened for reading only, so
// that nothing writes to them; what the library would copy or free is left alone.
void* image_malloc(std::size_t, H5FD_file_image_op_t, void* bytes) {
  return bytes;
}
void* image_memcpy(void* to, const void*, std::size_t, H5FD_file_image_op_t, void*) {
  return to;
}
void* image_realloc(void*, std::size_t, H5FD_file_image_op_t, void*) {
  return nullptr;
}
herr_t image_free(void*, H5FD_file_image_op_t, void*) {
  return 0;
}
void* image_udata_copy(void* bytes) {
  return bytes;
}
herr_t image_udata_free(void*) {
  return 0;
}

Hdf5Handle open_image(std::span<const std::byte> bytes) {
  auto* data = const_cast<std::byte*>(bytes.data());
  const Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, "property list");
  checked(H5Pset_fapl_core(access.id(), std::size_t{1} << 20, false), "memory driver");
  checked(H5Pset_fclose_degree(access.id(), H5F_CLOSE_STRONG), "property list");
  H5FD_file_image_callbacks_t callbacks{image_malloc, image_memcpy,     image_realloc,
                                        image_free,   image_udata_copy, image_udata_free,
                                        data};
  checked(H5Pset_file_image_callbacks(access.id(), &callbacks), "file image");
  checked(H5Pset_file_image(access.id(), data, bytes.size()), "file image");
  // The library takes files in memory for the same when their names are.
  static std::atomic<unsigned> number = 0;
  const std::string name = "ltz image " + std::to_string(number++);
  return {H5Fopen(name.c_str(), H5F_ACC_RDONLY, access.id()), H5Fclose, "not a valid HDF5 file"};
}

// Opens what a hard link leads to: soft and external links could lead out of the file or nowhere.
Hdf5Handle open_object(hid_t parent, const std::string& name) {
  const htri_t exists = H5Lexists(parent, name.c_str(), H5P_DEFAULT);
  if (checked(exists, name) == 0) {
    throw FormatError(name + " is missing");
  }
  H5L_info_t info;
  checked(H5Lget_info(parent, name.c_str(), &info, H5P_DEFAULT), name);
  if (info.type != H5L_TYPE_HARD) {
    throw FormatError(name + ": expected a hard link, found a soft or external one");
  }
  return {H5Oopen(parent, name.c_str(), H5P_DEFAULT), H5Oclose, name};
}

Hdf5Handle type_of(const Hdf5Handle& dataset, const std::string& name) {
  return {H5Dget_type(dataset.id()), H5Tclose, name};
}

void expect_type(bool as_expected, const std::string& name, const char* expected) {
  if (!as_expected) {
    throw FormatError(name + ": expected elements of type " + expected);
  }
}

void read(const Hdf5Handle& dataset, hid_t type, void* data, const std::string& name) {
  checked(H5Dread(dataset.id(), type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data), name);
}

}  // namespace

Shape hdf5_shape(const Hdf5Handle& space, const std::string& name) {
  const int rank = checked(H5Sget_simple_extent_ndims(space.id()), name);
  if (rank > kMaxRank || H5Sget_simple_extent_type(space.id()) == H5S_NULL) {
    throw FormatError(name + ": expected 0 to " + std::to_string(kMaxRank) + " dimensions");
  }
  std::vector<hsize_t> dims(static_cast<std::size_t>(rank));
  checked(H5Sget_simple_extent_dims(space.id(), dims.data(), nullptr), name);
  Shape shape(dims.begin(), dims.end());
  element_count(shape);
  return shape;
}

Hdf5Image::Hdf5Image(std::span<const std::byte> bytes)
    : image_(bytes), left_(bytes.size()), file_(open_image(bytes)) {}

Hdf5Handle Hdf5Image::group(hid_t parent, const std::string& name) const {
  Hdf5Handle object = open_object(parent, name);
  if (H5Iget_type(object.id()) != H5I_GROUP) {
    throw FormatError(name + ": expected a group");
  }
  return object;
}

std::uint64_t Hdf5Image::link_count(hid_t group) const {
  H5G_info_t info;
  checked(H5Gget_info(group, &info), "number of links");
  return info.nlinks;
}

bool Hdf5Image::has(hid_t group, const std::string& name) const {
  return checked(H5Lexists(group, name.c_str(), H5P_DEFAULT), name) != 0;
}

Hdf5Handle Hdf5Image::attribute(hid_t object, const std::string& name) const {
  const htri_t exists = H5Aexists(object, name.c_str());
  if (checked(exists, name) == 0) {
    throw FormatError("attribute " + name + " is missing");
  }
  return {H5Aopen(object, name.c_str(), H5P_DEFAULT), H5Aclose, "attribute " + name};
}

std::vector<std::int64_t> Hdf5Image::integers_attribute(hid_t object,
                                                        const std::string& name) const {
  const std::string what = "attribute " + name;
  const Hdf5Handle source = attribute(object, name);
  const Hdf5Handle type(H5Aget_type(source.id()), H5Tclose, what);
  const Hdf5Handle space(H5Aget_space(source.id()), H5Sclose, what);
  const std::int64_t count = element_count(hdf5_shape(space, what));
  if (H5Tget_class(type.id()) != H5T_INTEGER || count > kMaxRank) {
    throw FormatError(what + ": expected at most " + std::to_string(kMaxRank) + " integers");
  }
  std::vector<std::int64_t> values(kMaxRank);
  checked(H5Aread(source.id(), H5T_NATIVE_INT64, values.data()), what);
  values.resize(static_cast<std::size_t>(count));
  return values;
}

Hdf5Handle Hdf5Image::dataset(hid_t group, const std::string& name) const {
  Hdf5Handle object = open_object(group, name);
  if (H5Iget_type(object.id()) != H5I_DATASET) {
    throw FormatError(name + ": expected a dataset");
  }
  return object;
}

Shape Hdf5Image::shape(hid_t group, const std::string& name) const {
  const Hdf5Handle source = dataset(group, name);
  return hdf5_shape({H5Dget_space(source.id()), H5Sclose, name}, name);
}

void Hdf5Image::claim(const Hdf5Handle& dataset, const std::string& name, std::size_t element_size,
                      std::int64_t elements) {
  const Hdf5Handle list(H5Dget_create_plist(dataset.id()), H5Pclose, name);
  const H5D_layout_t layout = H5Pget_layout(list.id());
  if ((layout != H5D_CONTIGUOUS && layout != H5D_COMPACT) ||
      checked(H5Pget_nfilters(list.id()), name) != 0) {
    throw FormatError(name + ": expected contiguous storage without filters, found another " +
                      "(h5repack -l CONTI -f NONE changes it)");
  }
  if (layout == H5D_CONTIGUOUS && checked(H5Pget_external_count(list.id()), name) != 0) {
    throw FormatError(name + ": expected the data in this file, found it in another");
  }
  const auto count = static_cast<std::uint64_t>(elements);
  if (count != 0 && element_size > left_ / count) {
    throw FormatError(name + ": " + std::to_string(count) + " elements of " +
                      std::to_string(element_size) + " bytes are more than the file has");
  }
  const std::uint64_t size = count * element_size;
  const std::uint64_t stored = H5Dget_storage_size(dataset.id());
  if (stored != size) {
    throw FormatError(name + ": expected " + std::to_string(size) + " bytes of storage, found " +
                      std::to_string(stored));
  }
  const haddr_t offset = layout == H5D_CONTIGUOUS ? H5Dget_offset(dataset.id()) : 0;
  if (size != 0 && (offset > image_.size() || size > image_.size() - offset)) {
    throw FormatError(name + ": its data reach beyond the end of the file");
  }
  left_ -= size;
}

std::int64_t Hdf5Image::claim(const Hdf5Handle& dataset, const std::string& name,
                              const Shape& shape, std::size_t element_size) {
  const Shape found = hdf5_shape({H5Dget_space(dataset.id()), H5Sclose, name}, name);
  if (found != shape) {
    throw FormatError(name + ": expected shape " + to_string(shape) + ", found " +
                      to_string(found));
  }
  claim(dataset, name, element_size, element_count(shape));
  return element_count(shape);
}

std::vector<float> Hdf5Image::floats(hid_t group, const std::string& name, const Shape& shape) {
  const Hdf5Handle source = dataset(group, name);
  const Hdf5Handle type = type_of(source, name);
  expect_type(H5Tequal(type.id(), H5T_IEEE_F32LE) > 0 || H5Tequal(type.id(), H5T_IEEE_F32BE) > 0,
              name, "float32");
  std::vector<float> values(static_cast<std::size_t>(claim(source, name, shape, 4)));
  read(source, H5T_NATIVE_FLOAT, values.data(), name);
  return values;
}

std::vector<float> Hdf5Image::halves(hid_t group, const std::string& name, const Shape& shape) {
  const Hdf5Handle source = dataset(group, name);
  const Hdf5Handle type = hdf5_float16();
  expect_type(H5Tequal(type_of(source, name).id(), type.id()) > 0, name, "float16");
  std::vector<std::uint16_t> halves(static_cast<std::size_t>(claim(source, name, shape, 2)));
  read(source, type.id(), halves.data(), name);
  std::vector<float> values(halves.size());
  std::ranges::transform(halves, values.begin(), float16_value);
  return values;
}

std::vector<float> Hdf5Image::bfloat16s(hid_t group, const std::string& name, const Shape& shape) {
  const Hdf5Handle source = dataset(group, name);
  expect_type(H5Tequal(type_of(source, name).id(), H5T_STD_U16LE) > 0, name,
              "uint16 (the bits of bfloat16)");
  std::vector<std::uint16_t> bits(static_cast<std::size_t>(claim(source, name, shape, 2)));
  read(source, H5T_NATIVE_UINT16, bits.data(), name);
  std::vector<float> values(bits.size());
  std::ranges::transform(bits, values.begin(), bfloat16_value);
  return values;
}

std::vector<std::uint8_t> Hdf5Image::bytes(hid_t group, const std::string& name,
                                           const Shape& shape) {
  const Hdf5Handle source = dataset(group, name);
  expect_type(H5Tequal(type_of(source, name).id(), H5T_STD_U8LE) > 0, name, "uint8");
  std::vector<std::uint8_t> values(static_cast<std::size_t>(claim(source, name, shape, 1)));
  read(source, H5T_NATIVE_UINT8, values.data(), name);
  return values;
}

}  // namespace ltz::formats
