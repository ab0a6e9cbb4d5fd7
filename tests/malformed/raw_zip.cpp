#include "raw_zip.h"

#include "tests/support/pickle_builder.h"

namespace ltz::test {
namespace {

// CRC-32 as in APPNOTE.TXT.
std::uint32_t crc_of(const std::string& content) {
  std::uint32_t crc = 0xFFFFFFFF;
  for (const char byte : content) {
    crc ^= static_cast<std::uint8_t>(byte);
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc >> 1) ^ ((crc & 1U) != 0 ? 0xEDB88320U : 0U);
    }
  }
  return ~crc;
}

// Flags to sizes: the fields that local header and directory have in common.
std::string common_fields(const RawZipEntry& entry) {
  const auto length = static_cast<std::uint32_t>(entry.content.size());
  std::string out = unsigned_bytes(entry.flags, 2) + unsigned_bytes(entry.method, 2);
  out += unsigned_bytes(0, 4);  // time and date
  out += unsigned_bytes(entry.crc.value_or(crc_of(entry.content)), 4);
  out += unsigned_bytes(entry.packed_size.value_or(length), 4);
  out += unsigned_bytes(entry.size.value_or(length), 4);
  return out;
}

std::string local_header(const RawZipEntry& entry) {
  const std::string name = entry.local_name.value_or(entry.name);
  return "PK\3\4" + unsigned_bytes(20, 2) + common_fields(entry) + unsigned_bytes(name.size(), 2) +
         unsigned_bytes(0, 2) + name;
}

std::string directory_entry(const RawZipEntry& entry, std::size_t offset) {
  std::string out = "PK\1\2" + unsigned_bytes(20, 2) + unsigned_bytes(20, 2);
  out += common_fields(entry);
  out += unsigned_bytes(entry.name.size(), 2);
  out.append(12, '\0');  // extra field, comment, disk, attributes
  return out + unsigned_bytes(entry.offset.value_or(static_cast<std::uint32_t>(offset)), 4) +
         entry.name;
}

// Section 4.3.14 and 4.3.15.
std::string zip64_end(const RawZipEnd& end, std::size_t offset, std::size_t size) {
  const std::uint64_t count = *end.entries64;
  std::string record = "PK\6\6" + unsigned_bytes(44, 8) + unsigned_bytes(45, 2) +
                       unsigned_bytes(45, 2) + unsigned_bytes(0, 8);
  record += unsigned_bytes(count, 8) + unsigned_bytes(count, 8);
  record += unsigned_bytes(end.directory_size64.value_or(size), 8) + unsigned_bytes(offset, 8);
  return record + "PK\6\7" + unsigned_bytes(0, 4) + unsigned_bytes(offset + size, 8) +
         unsigned_bytes(1, 4);
}

}  // namespace

std::vector<std::byte> raw_zip(const std::vector<RawZipEntry>& entries, const RawZipEnd& end) {
  std::string out;
  std::string directory;
  for (const RawZipEntry& entry : entries) {
    directory += directory_entry(entry, out.size());
    out += local_header(entry) + entry.content;
  }
  const std::size_t offset = out.size();
  out += directory;
  std::uint64_t count = end.entries.value_or(static_cast<std::uint16_t>(entries.size()));
  std::uint64_t length = end.directory_size.value_or(static_cast<std::uint32_t>(directory.size()));
  if (end.entries64) {
    out += zip64_end(end, offset, directory.size());
    count = 0xffff;
    length = 0xffffffff;
  }
  out += "PK\5\6" + unsigned_bytes(0, 4) + unsigned_bytes(count, 2) + unsigned_bytes(count, 2) +
         unsigned_bytes(length, 4) +
         unsigned_bytes(end.directory_offset.value_or(static_cast<std::uint32_t>(offset)), 4) +
         unsigned_bytes(0, 2);
  return to_bytes(out);
}

}  // namespace ltz::test
