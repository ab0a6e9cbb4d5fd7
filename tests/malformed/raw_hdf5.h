#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ltz::test {

// An HDF5 file byte by byte (HDF5 File Format Specification 3.0, sections II.A and IV.A.1.b), for
// what no library writes. Fields that are not set are as they should be.
struct RawHdf5 {
  std::string messages;  // of the root group
  std::string before;    // at kBefore, in front of the root group's header
  std::uint8_t superblock_version = 2;
  std::uint8_t offset_size = 8;
  std::uint64_t base = 0;
  std::optional<std::uint64_t> end;
  std::optional<std::uint64_t> root;
  std::string signature = "OHDR";
  std::uint8_t header_version = 2;
  std::optional<std::uint64_t> header_size;
  std::uint32_t superblock_damage = 0;  // added to the checksum
  std::uint32_t header_damage = 0;

  static constexpr std::uint64_t kBefore = 48;
};

std::vector<std::byte> raw_hdf5(const RawHdf5& file);

// Little-endian.
std::string raw_integer(std::uint64_t value, std::size_t size);
std::string raw_message(std::uint8_t kind, const std::string& body, std::uint8_t flags = 0);
// A block of messages that goes on with a header of version 2.
std::string raw_continuation(const std::string& messages);
std::string raw_link(const std::string& name, std::uint64_t address);
// Of one string of fixed length, if nothing else is said.
struct RawAttribute {
  std::string name;
  std::string data;
  std::optional<std::string> type;
  std::string space = std::string("\2\0\0\0", 4);
};
std::string raw_attribute(const RawAttribute& attribute);

}  // namespace ltz::test
