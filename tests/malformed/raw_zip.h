#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ltz::test {

// A zip archive byte by byte (PKWARE's APPNOTE 6.3, sections 4.3.7, 4.3.12 and 4.3.16), for what no
// library writes. Fields that are not set are as they should be.
struct RawZipEntry {
  std::string name;
  std::string content;
  std::uint16_t method = 0;  // 0 stored, 8 deflated
  std::uint16_t flags = 0;   // bit 0: encrypted
  std::optional<std::uint32_t> crc;
  std::optional<std::uint32_t> packed_size;
  std::optional<std::uint32_t> size;
  std::optional<std::uint32_t> offset;    // of the local header, in the directory
  std::optional<std::string> local_name;  // in the local header
};

// What the record at the end says about the directory.
struct RawZipEnd {
  std::optional<std::uint16_t> entries;
  std::optional<std::uint32_t> directory_size;
  std::optional<std::uint32_t> directory_offset;
  // A zip64 record that says this many entries, with a directory of as many bytes.
  std::optional<std::uint64_t> entries64;
  std::optional<std::uint64_t> directory_size64;
};

std::vector<std::byte> raw_zip(const std::vector<RawZipEntry>& entries, const RawZipEnd& end = {});

}  // namespace ltz::test
