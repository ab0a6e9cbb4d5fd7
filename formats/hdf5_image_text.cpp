#include <algorithm>
#include <cstring>
#include <memory>

#include "formats/hdf5_image.h"
#include "model/error.h"

namespace ltz::formats {
namespace {

// Memory for strings of variable length. Many of them may lead to the same long one, so the sum
// counts. Frees everything itself, also after an error half-way.
class StringArena {
 public:
  explicit StringArena(std::uint64_t limit) : left_(limit) {}

  static void* allocate(std::size_t size, void* arena) {
    return static_cast<StringArena*>(arena)->allocate(size);
  }
  static void release(void*, void*) {}

 private:
  void* allocate(std::size_t size) {
    try {
      if (size > left_) {
        return nullptr;
      }
      left_ -= size;
      return strings_.emplace_back(std::make_unique<char[]>(std::max<std::size_t>(size, 1))).get();
    } catch (...) {
      return nullptr;
    }
  }

  std::uint64_t left_;
  std::vector<std::unique_ptr<char[]>> strings_;
};

std::string trimmed(const char* text, std::size_t size, H5T_str_t padding) {
  std::string line(text, strnlen(text, size));
  if (padding == H5T_STR_SPACEPAD) {
    line.erase(line.find_last_not_of(' ') + 1);
  }
  return line;
}

}  // namespace

std::string Hdf5Image::text_attribute(hid_t object, const std::string& name) const {
  const std::string what = "attribute " + name;
  const Hdf5Handle source = attribute(object, name);
  const Hdf5Handle type(H5Aget_type(source.id()), H5Tclose, what);
  const Hdf5Handle space(H5Aget_space(source.id()), H5Sclose, what);
  if (H5Tget_class(type.id()) != H5T_STRING || element_count(hdf5_shape(space, what)) != 1) {
    throw FormatError(what + ": expected one string");
  }
  if (checked(H5Tis_variable_str(type.id()), what) > 0) {
    char* text = nullptr;
    checked(H5Aread(source.id(), type.id(), &text), what);
    const std::string copy = text == nullptr ? "" : text;
    H5Dvlen_reclaim(type.id(), space.id(), H5P_DEFAULT, &text);
    return copy;
  }
  const std::size_t size = H5Tget_size(type.id());
  if (size > image_.size()) {
    throw FormatError(what + ": longer than the file");
  }
  std::string text(size, '\0');
  checked(H5Aread(source.id(), type.id(), text.data()), what);
  return trimmed(text.data(), size, H5Tget_strpad(type.id()));
}

std::vector<std::string> Hdf5Image::lines(hid_t group, const std::string& name) {
  const Hdf5Handle source = dataset(group, name);
  const Hdf5Handle type(H5Dget_type(source.id()), H5Tclose, name);
  const Shape found = hdf5_shape({H5Dget_space(source.id()), H5Sclose, name}, name);
  if (H5Tget_class(type.id()) != H5T_STRING || found.size() != 1) {
    throw FormatError(name + ": expected a one-dimensional dataset of strings");
  }
  const auto count = static_cast<std::size_t>(found[0]);
  return checked(H5Tis_variable_str(type.id()), name) > 0
             ? variable_lines(source, type, name, count)
             : fixed_lines(source, type, name, count);
}

std::vector<std::string> Hdf5Image::fixed_lines(const Hdf5Handle& dataset, const Hdf5Handle& type,
                                                const std::string& name, std::size_t count) {
  const std::size_t size = H5Tget_size(type.id());
  claim(dataset, name, size, static_cast<std::int64_t>(count));
  std::string table(size * count, '\0');
  checked(H5Dread(dataset.id(), type.id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, table.data()), name);
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < count; ++i) {
    lines.push_back(trimmed(table.data() + i * size, size, H5Tget_strpad(type.id())));
  }
  return lines;
}

std::vector<std::string> Hdf5Image::variable_lines(const Hdf5Handle& dataset,
                                                   const Hdf5Handle& type, const std::string& name,
                                                   std::size_t count) {
  // In the file, a string's length, the address of its heap and its number there.
  constexpr std::size_t kReferenceSize = 16;
  claim(dataset, name, kReferenceSize, static_cast<std::int64_t>(count));
  StringArena arena(image_.size());
  const Hdf5Handle transfer(H5Pcreate(H5P_DATASET_XFER), H5Pclose, "property list");
  checked(H5Pset_vlen_mem_manager(transfer.id(), StringArena::allocate, &arena,
                                  StringArena::release, &arena),
          name);
  std::vector<char*> strings(count, nullptr);
  checked(H5Dread(dataset.id(), type.id(), H5S_ALL, H5S_ALL, transfer.id(), strings.data()), name);
  std::vector<std::string> lines;
  for (const char* text : strings) {
    lines.emplace_back(text == nullptr ? "" : text);
  }
  return lines;
}

}  // namespace ltz::formats
