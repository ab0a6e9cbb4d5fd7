#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "formats/hdf5/handle.h"

namespace ltz::formats {

// A file in memory, read by the HDF5 library: in a ChildProcess alone, since the library trusts it.
// Everything throws FormatError; messages name the object. Nothing that the file names outside of
// it is opened.
class Hdf5Input {
 public:
  // The bytes must outlive the input; they are not copied. max_size: in bytes, what may be read in
  // all.
  Hdf5Input(std::span<const std::byte> bytes, std::size_t max_size);

  hid_t root() const { return file_.id(); }
  // Behind hard and soft links; nothing when the name is not there.
  std::optional<Hdf5Handle> group(hid_t parent, const std::string& name);
  std::optional<Hdf5Handle> dataset(hid_t parent, const std::string& name);
  std::vector<std::string> names(hid_t group);

  // Attributes: one string, or at most eight integers.
  std::optional<std::string> text(hid_t object, const std::string& name);
  std::optional<std::vector<std::int64_t>> integers(hid_t object, const std::string& name);

  // The elements of a dataset. type: in memory; an integer that does not fit is refused.
  std::vector<std::byte> elements(hid_t dataset, hid_t type, const std::string& name);
  // Strings of a dataset of one dimension; none where there is no element, whatever its type.
  std::vector<std::string> lines(hid_t dataset, const std::string& name);

 private:
  std::optional<Hdf5Handle> open(hid_t parent, const std::string& name);
  // Of so many elements of so many bytes.
  std::size_t take(std::uint64_t count, std::size_t size);

  Hdf5Handle links_;  // how they are followed
  Hdf5Handle file_;
  std::size_t left_;
};

std::vector<hsize_t> hdf5_dims(hid_t dataset);

}  // namespace ltz::formats
