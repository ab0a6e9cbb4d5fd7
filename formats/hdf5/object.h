#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "model/base/error.h"
#include "model/checkpoint/tensor.h"

namespace ltz::formats {

// Objects of an HDF5 file, read without trust and without the HDF5 library (HDF5.md says why).
// Sections are those of the HDF5 File Format Specification, version 3.0. Everything here throws
// FormatError or Hdf5OtherLayout; views lead into the file's bytes.

// "Not here", where the file says a place (the specification's undefined address).
constexpr std::uint64_t kNowhere = ~std::uint64_t{0};

// The bytes of a file, of which no more are read than four times as many as there are: headers are
// looked at twice, and a dictionary for two languages. What leads to the same place again and again
// comes to an end.
class Hdf5Bytes {
 public:
  explicit Hdf5Bytes(std::span<const std::byte> bytes);

  // what: for the message, where they are not there.
  std::span<const std::byte> take(std::uint64_t address, std::uint64_t size,
                                  const std::string& what);
  // Whether so many elements of such a size (at least 1) may still be taken.
  bool has(std::uint64_t count, std::uint64_t size) const { return count <= left_ / size; }

 private:
  std::span<const std::byte> bytes_;
  std::uint64_t left_;
};

// A datatype message (IV.A.2.d). Equal when every bit of an element means the same.
struct Hdf5Type {
  enum Kind : std::uint8_t { kInteger = 0, kFloat = 1, kString = 3, kVariable = 9 };

  std::uint8_t kind = 0;
  std::uint32_t flags = 0;  // 24 bits
  std::uint32_t size = 1;   // of an element, at least 1
  std::array<std::uint8_t, 12> properties{};

  bool operator==(const Hdf5Type&) const = default;
};

// bytes: at least as many as the signature has.
bool hdf5_starts_with(std::span<const std::byte> bytes, std::string_view signature);

// Little-endian, of at most eight bytes.
std::uint64_t hdf5_integer(std::span<const std::byte> bytes);

Hdf5Type hdf5_type(std::span<const std::byte> message);
// A dataspace message (IV.A.2.b) of at most eight dimensions.
Shape hdf5_shape(std::span<const std::byte> message);

// An attribute message (IV.A.2.m).
struct Hdf5Attribute {
  std::span<const std::byte> type;
  std::span<const std::byte> space;
  std::span<const std::byte> data;
};

// What an object header (IV.A) has.
struct Hdf5Object {
  const Hdf5Attribute& attribute(const std::string& name) const;

  std::map<std::string, Hdf5Attribute, std::less<>> attributes;
  // For a group: where the object is, or kNowhere behind a soft or external link.
  bool group = false;
  std::map<std::string, std::uint64_t, std::less<>> links;
  // For a dataset.
  std::optional<std::span<const std::byte>> type;
  std::optional<std::span<const std::byte>> space;
  std::optional<std::span<const std::byte>> layout;
  bool filtered = false;
  bool external = false;
};

// What HDF5 may do and is not read here. It is no FormatError: nothing is wrong with the file.
class Hdf5OtherLayout : public Error {
 public:
  using Error::Error;
};

// The messages of an object's header that name something in it. Both throw when it is there
// already.
void add_hdf5_attribute(Hdf5Object& object, std::span<const std::byte> message);
void add_hdf5_link(Hdf5Object& object, std::span<const std::byte> message);  // IV.A.2.g
// An attribute or link information message (IV.A.2.v, IV.A.2.c) says where a heap of more is: after
// flags and, perhaps, a number of order_size bytes. what: they are. Throws Hdf5OtherLayout when
// there is one.
void expect_no_hdf5_heap(std::span<const std::byte> message, const char* what,
                         std::size_t order_size);

Hdf5Object read_hdf5_object(Hdf5Bytes& file, std::uint64_t address);

// Bob Jenkins' lookup3 ("hashlittle"), the checksum of HDF5's metadata.
std::uint32_t lookup3(std::span<const std::byte> bytes);

// The last four bytes are the checksum of those before. Throws FormatError.
void check_hdf5_checksum(std::span<const std::byte> bytes, const std::string& what);

}  // namespace ltz::formats
