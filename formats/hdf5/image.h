#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "formats/hdf5/object.h"
#include "model/checkpoint/tensor.h"

namespace ltz::formats {

// An HDF5 file in memory in the plain layout of HDF5.md: contiguous or compact datasets without
// filters and external storage, behind hard links. All functions throw FormatError, whose messages
// name the object, not the file, or Hdf5OtherLayout.
class Hdf5Image {
 public:
  // The bytes must outlive the image; they are not copied.
  explicit Hdf5Image(std::span<const std::byte> bytes);

  const Hdf5Object& root() const { return root_; }

  Hdf5Object group(const Hdf5Object& parent, const std::string& name);

  std::string text_attribute(const Hdf5Object& object, const std::string& name);
  // An attribute of at most eight integers.
  std::vector<std::int64_t> integers_attribute(const Hdf5Object& object, const std::string& name);

  // A one-dimensional dataset of strings, of fixed or variable length.
  std::vector<std::string> lines(const Hdf5Object& group, const std::string& name);

  // A dataset of numbers, which must have this shape.
  std::vector<float> floats(const Hdf5Object& group, const std::string& name, const Shape& shape);
  std::vector<float> halves(const Hdf5Object& group, const std::string& name, const Shape& shape);
  std::vector<float> bfloat16s(const Hdf5Object& group, const std::string& name,
                               const Shape& shape);
  std::vector<std::uint8_t> bytes(const Hdf5Object& group, const std::string& name,
                                  const Shape& shape);
  // The shape of a dataset, without reading it.
  Shape shape(const Hdf5Object& group, const std::string& name);

 private:
  struct Dataset {
    Hdf5Type type;
    Shape shape;
    std::uint8_t layout;
    std::span<const std::byte> place;  // what is in the layout message behind its kind
  };

  Hdf5Object open(const Hdf5Object& parent, const std::string& name);
  Dataset dataset(const Hdf5Object& group, const std::string& name);
  // Where the elements are: as many bytes as type and shape say.
  std::span<const std::byte> data(const Dataset& dataset, const std::string& name);
  std::span<const std::byte> numbers(const Dataset& source, const std::string& name,
                                     const Shape& shape, const Hdf5Type& type);
  std::string line(const Hdf5Type& type, std::span<const std::byte> element);

  struct HeapObject {
    std::uint32_t number;
    std::uint64_t address;
    std::uint64_t size;
  };
  // An object of a global heap (III.E).
  const HeapObject& heap_object(std::uint64_t heap, std::uint32_t number);

  Hdf5Bytes file_;
  Hdf5Object root_;
  std::map<std::uint64_t, std::vector<HeapObject>> heaps_;  // by number, behind their addresses
};

}  // namespace ltz::formats
