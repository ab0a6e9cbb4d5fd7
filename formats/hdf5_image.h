#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "formats/hdf5_handle.h"
#include "model/tensor.h"

namespace ltz::formats {

// The dimensions of a data space, at most eight. Throws FormatError.
Shape hdf5_shape(const Hdf5Handle& space, const std::string& name);

// An HDF5 file in memory, read without trust: only contiguous or compact datasets, without filters
// and external storage, behind hard links, and never more bytes in all than the file has. All
// functions throw FormatError; messages name the object, not the file.
class Hdf5Image {
 public:
  // The bytes must outlive the image; they are not copied.
  explicit Hdf5Image(std::span<const std::byte> bytes);

  hid_t root() const { return file_.id(); }

  Hdf5Handle group(hid_t parent, const std::string& name) const;
  // Objects in a group. Their names are not to be had: HDF5 1.10 crashes on listing the links of
  // some damaged groups, so that readers ask for the names that they expect.
  std::uint64_t link_count(hid_t group) const;
  bool has(hid_t group, const std::string& name) const;

  std::string text_attribute(hid_t object, const std::string& name) const;
  // An attribute of at most eight integers.
  std::vector<std::int64_t> integers_attribute(hid_t object, const std::string& name) const;

  // A one-dimensional dataset of strings, of fixed or variable length.
  std::vector<std::string> lines(hid_t group, const std::string& name);

  // A dataset of numbers, which must have this shape.
  std::vector<float> floats(hid_t group, const std::string& name, const Shape& shape);
  std::vector<float> halves(hid_t group, const std::string& name, const Shape& shape);
  std::vector<float> bfloat16s(hid_t group, const std::string& name, const Shape& shape);
  std::vector<std::uint8_t> bytes(hid_t group, const std::string& name, const Shape& shape);
  // Of a dataset, without reading it.
  Shape shape(hid_t group, const std::string& name) const;

 private:
  Hdf5Handle dataset(hid_t group, const std::string& name) const;
  Hdf5Handle attribute(hid_t object, const std::string& name) const;
  // Checks where the elements are and takes their bytes from what may still be read.
  void claim(const Hdf5Handle& dataset, const std::string& name, std::size_t element_size,
             std::int64_t elements);
  std::int64_t claim(const Hdf5Handle& dataset, const std::string& name, const Shape& shape,
                     std::size_t element_size);
  std::vector<std::string> variable_lines(const Hdf5Handle& dataset, const Hdf5Handle& type,
                                          const std::string& name, std::size_t count);
  std::vector<std::string> fixed_lines(const Hdf5Handle& dataset, const Hdf5Handle& type,
                                       const std::string& name, std::size_t count);

  std::span<const std::byte> image_;
  std::uint64_t left_;
  Hdf5Handle file_;
};

}  // namespace ltz::formats
