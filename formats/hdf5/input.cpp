#include "formats/hdf5/input.h"

#include <cstring>
#include <utility>

#include "model/base/context.h"

namespace ltz::formats {
namespace {

// The library's file is the bytes that there are: opened read-only, it neither grows nor changes.
using Image = std::span<const std::byte>;

void* image_malloc(std::size_t size, H5FD_file_image_op_t, void* memory) {
  const auto& image = *static_cast<const Image*>(memory);
  return size == image.size() ? const_cast<std::byte*>(image.data()) : nullptr;
}
void* image_realloc(void*, std::size_t, H5FD_file_image_op_t, void*) {
  return nullptr;
}
void* image_memcpy(void* to, const void* from, std::size_t, H5FD_file_image_op_t, void*) {
  return to == from ? to : nullptr;
}
herr_t image_free(void*, H5FD_file_image_op_t, void*) {
  return 0;
}
void* same_udata(void* memory) {
  return memory;
}
herr_t free_udata(void*) {
  return 0;
}

Hdf5Handle open_image(Image image) {
  const Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, "property list");
  checked(H5Pset_fapl_core(access.id(), 1, false), "memory driver");
  H5FD_file_image_callbacks_t callbacks{image_malloc, image_memcpy, image_realloc, image_free,
                                        same_udata,   free_udata,   &image};
  checked(H5Pset_file_image_callbacks(access.id(), &callbacks), "memory driver");
  checked(H5Pset_file_image(access.id(), const_cast<std::byte*>(image.data()), image.size()),
          "memory driver");
  return {H5Fopen("input.h5", H5F_ACC_RDONLY, access.id()), H5Fclose, "opening it"};
}

herr_t refuse_external_link(const char*, const char*, const char*, const char*, unsigned*, hid_t,
                            void*) {
  return -1;
}

Hdf5Handle links_within() {
  Hdf5Handle list(H5Pcreate(H5P_LINK_ACCESS), H5Pclose, "property list");
  checked(H5Pset_elink_cb(list.id(), refuse_external_link, nullptr), "property list");
  return list;
}

struct OpenAttribute {
  Hdf5Handle attribute;
  Hdf5Handle type;
  Hdf5Handle space;
};

// what: for errors. Nothing where there is none.
std::optional<OpenAttribute> open_attribute(hid_t object, const std::string& name,
                                            const std::string& what) {
  if (checked(H5Aexists(object, name.c_str()), what) == 0) {
    return std::nullopt;
  }
  Hdf5Handle attribute(H5Aopen(object, name.c_str(), H5P_DEFAULT), H5Aclose, what);
  Hdf5Handle type(H5Aget_type(attribute.id()), H5Tclose, what);
  Hdf5Handle space(H5Aget_space(attribute.id()), H5Sclose, what);
  return OpenAttribute{std::move(attribute), std::move(type), std::move(space)};
}

// Refuses data that are not in the file.
void require_own_data(hid_t dataset, const std::string& name) {
  const Hdf5Handle list(H5Dget_create_plist(dataset), H5Pclose, name);
  if (H5Pget_external_count(list.id()) != 0 || H5Pget_layout(list.id()) == H5D_VIRTUAL) {
    throw FormatError(name + ": expected the data in this file, found it in another");
  }
}

H5T_conv_ret_t refuse_integers_out_of_range(H5T_conv_except_t kind, hid_t, hid_t to, void*, void*,
                                            void*) {
  const bool beyond = kind == H5T_CONV_EXCEPT_RANGE_HI || kind == H5T_CONV_EXCEPT_RANGE_LOW;
  return beyond && H5Tget_class(to) == H5T_INTEGER ? H5T_CONV_ABORT : H5T_CONV_UNHANDLED;
}

std::string text_of(const char* text, std::size_t size, hid_t type) {
  std::string line(text, strnlen(text, size));
  if (H5Tget_strpad(type) == H5T_STR_SPACEPAD) {
    line.erase(line.find_last_not_of(' ') + 1);
  }
  return line;
}

herr_t add_name(hid_t, const char* name, const H5L_info_t*, void* names) {
  static_cast<std::vector<std::string>*>(names)->emplace_back(name);
  return 0;
}

std::size_t element_count(hid_t space, const std::string& name) {
  return static_cast<std::size_t>(checked(H5Sget_simple_extent_npoints(space), name));
}

// The strings behind pointers, which stay where they are until the process ends.
std::string variable(const char* text) {
  return text == nullptr ? "" : text;
}

}  // namespace

Hdf5Input::Hdf5Input(Image bytes, std::size_t max_size)
    : links_(links_within()), file_(open_image(bytes)), left_(max_size) {}

std::size_t Hdf5Input::take(std::uint64_t count, std::size_t size) {
  if (count > left_ / size) {
    throw FormatError(std::to_string(count) + " elements of " + std::to_string(size) +
                      " bytes are more than the " + std::to_string(left_) +
                      " bytes that a file of this size may still unfold to");
  }
  left_ -= static_cast<std::size_t>(count) * size;
  return static_cast<std::size_t>(count) * size;
}

std::optional<Hdf5Handle> Hdf5Input::open(hid_t parent, const std::string& name) {
  if (checked(H5Lexists(parent, name.c_str(), links_.id()), name) == 0) {
    return std::nullopt;
  }
  H5L_info_t link{};
  checked(H5Lget_info(parent, name.c_str(), &link, links_.id()), name);
  if (link.type != H5L_TYPE_HARD && link.type != H5L_TYPE_SOFT) {
    throw FormatError(name + ": expected a hard or soft link, found an external one");
  }
  return Hdf5Handle(H5Oopen(parent, name.c_str(), links_.id()), H5Oclose, name);
}

std::optional<Hdf5Handle> Hdf5Input::group(hid_t parent, const std::string& name) {
  auto object = open(parent, name);
  if (object && H5Iget_type(object->id()) != H5I_GROUP) {
    throw FormatError(name + ": expected a group");
  }
  return object;
}

std::optional<Hdf5Handle> Hdf5Input::dataset(hid_t parent, const std::string& name) {
  auto object = open(parent, name);
  if (object && H5Iget_type(object->id()) != H5I_DATASET) {
    throw FormatError(name + ": expected a dataset");
  }
  if (object) {
    require_own_data(object->id(), name);
  }
  return object;
}

std::vector<std::string> Hdf5Input::names(hid_t group) {
  std::vector<std::string> names;
  checked(H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, nullptr, add_name, &names), "links");
  return names;
}

std::optional<std::string> Hdf5Input::text(hid_t object, const std::string& name) {
  const std::string what = "attribute " + name;
  const auto opened = open_attribute(object, name, what);
  if (!opened) {
    return std::nullopt;
  }
  const auto& [attribute, type, space] = *opened;
  if (H5Tget_class(type.id()) != H5T_STRING || element_count(space.id(), what) != 1) {
    throw FormatError(what + ": expected one string");
  }
  if (checked(H5Tis_variable_str(type.id()), what) > 0) {
    const char* text = nullptr;
    checked(H5Aread(attribute.id(), type.id(), &text), what);
    return variable(text);
  }
  std::string bytes(
      in_context(what, [&, &read_as = type] { return take(1, H5Tget_size(read_as.id())); }), '\0');
  checked(H5Aread(attribute.id(), type.id(), bytes.data()), what);
  return text_of(bytes.data(), bytes.size(), type.id());
}

std::optional<std::vector<std::int64_t>> Hdf5Input::integers(hid_t object,
                                                             const std::string& name) {
  constexpr std::size_t kMaxCount = 8;
  const std::string what = "attribute " + name;
  const auto opened = open_attribute(object, name, what);
  if (!opened) {
    return std::nullopt;
  }
  const auto& [attribute, type, space] = *opened;
  const std::size_t count = element_count(space.id(), what);
  if (H5Tget_class(type.id()) != H5T_INTEGER || count > kMaxCount) {
    throw FormatError(what + ": expected at most " + std::to_string(kMaxCount) + " integers");
  }
  std::vector<std::int64_t> values(count);
  checked(H5Aread(attribute.id(), H5T_NATIVE_INT64, values.data()), what);
  return values;
}

std::vector<std::byte> Hdf5Input::elements(hid_t dataset, hid_t type, const std::string& name) {
  const Hdf5Handle space(H5Dget_space(dataset), H5Sclose, name);
  const Hdf5Handle transfer(H5Pcreate(H5P_DATASET_XFER), H5Pclose, "property list");
  checked(H5Pset_type_conv_cb(transfer.id(), refuse_integers_out_of_range, nullptr), name);
  std::vector<std::byte> bytes(
      in_context(name, [&] { return take(element_count(space.id(), name), H5Tget_size(type)); }));
  if (!bytes.empty()) {
    checked(H5Dread(dataset, type, H5S_ALL, H5S_ALL, transfer.id(), bytes.data()), name);
  }
  return bytes;
}

std::vector<std::string> Hdf5Input::lines(hid_t dataset, const std::string& name) {
  const Hdf5Handle space(H5Dget_space(dataset), H5Sclose, name);
  const std::size_t count = element_count(space.id(), name);
  if (count == 0) {
    return {};
  }
  const Hdf5Handle type(H5Dget_type(dataset), H5Tclose, name);
  if (H5Tget_class(type.id()) != H5T_STRING || hdf5_dims(dataset).size() != 1) {
    throw FormatError(name + ": expected a one-dimensional dataset of strings");
  }
  const std::size_t size = H5Tget_size(type.id());
  const std::vector<std::byte> table = elements(dataset, type.id(), name);
  in_context(name, [&] { take(count, sizeof(std::string)); });
  const bool pointers = checked(H5Tis_variable_str(type.id()), name) > 0;
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < table.size(); at += size) {
    const auto* element = reinterpret_cast<const char*>(table.data() + at);
    const char* text = nullptr;
    if (pointers) {
      std::memcpy(&text, element, sizeof(text));
    }
    lines.push_back(pointers ? variable(text) : text_of(element, size, type.id()));
  }
  return lines;
}

std::vector<hsize_t> hdf5_dims(hid_t dataset) {
  const Hdf5Handle space(H5Dget_space(dataset), H5Sclose, "dataspace");
  std::vector<hsize_t> dims(
      static_cast<std::size_t>(checked(H5Sget_simple_extent_ndims(space.id()), "dataspace")));
  checked(H5Sget_simple_extent_dims(space.id(), dims.data(), nullptr), "dataspace");
  return dims;
}

}  // namespace ltz::formats
