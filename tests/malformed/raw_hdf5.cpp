#include "raw_hdf5.h"

#include "formats/hdf5/object.h"
#include "tests/support/pickle_builder.h"

namespace ltz::test {
namespace {

std::string with_checksum(const std::string& text, std::uint32_t damage = 0) {
  return text + raw_integer(formats::lookup3(to_bytes(text)) + damage, 4);
}

}  // namespace

std::string raw_integer(std::uint64_t value, std::size_t size) {
  std::string text;
  for (std::size_t i = 0; i < size; ++i) {
    text += static_cast<char>(value >> (8 * i));
  }
  return text;
}

std::string raw_message(std::uint8_t kind, const std::string& body, std::uint8_t flags) {
  return raw_integer(kind, 1) + raw_integer(body.size(), 2) + raw_integer(flags, 1) + body;
}

std::string raw_continuation(const std::string& messages) {
  return with_checksum("OCHK" + messages);
}

std::string raw_link(const std::string& name, std::uint64_t address) {
  return raw_message(6, raw_integer(1, 1) + raw_integer(0, 1) + raw_integer(name.size(), 1) + name +
                            raw_integer(address, 8));
}

std::string raw_attribute(const RawAttribute& attribute) {
  const std::string type = attribute.type.value_or(raw_integer(0x13, 1) + raw_integer(0, 3) +
                                                   raw_integer(attribute.data.size(), 4));
  return raw_message(12, raw_integer(3, 2) + raw_integer(attribute.name.size() + 1, 2) +
                             raw_integer(type.size(), 2) + raw_integer(attribute.space.size(), 2) +
                             raw_integer(0, 1) + attribute.name + '\0' + type + attribute.space +
                             attribute.data);
}

std::vector<std::byte> raw_hdf5(const RawHdf5& file) {
  constexpr unsigned kSizeOf8 = 3;
  const std::string header = with_checksum(
      file.signature + raw_integer(file.header_version, 1) + raw_integer(kSizeOf8, 1) +
          raw_integer(file.header_size.value_or(file.messages.size()), 8) + file.messages,
      file.header_damage);
  const std::uint64_t root = RawHdf5::kBefore + file.before.size();
  const std::string superblock =
      with_checksum("\x89HDF\r\n\x1a\n" + raw_integer(file.superblock_version, 1) +
                        raw_integer(file.offset_size, 1) + raw_integer(8, 1) + raw_integer(0, 1) +
                        raw_integer(file.base, 8) + raw_integer(formats::kNowhere, 8) +
                        raw_integer(file.end.value_or(root + header.size()), 8) +
                        raw_integer(file.root.value_or(root), 8),
                    file.superblock_damage);
  return to_bytes(superblock + file.before + header);
}

}  // namespace ltz::test
