#include <algorithm>

#include "formats/bytes/bytes.h"
#include "formats/hdf5/object.h"

namespace ltz::formats {
namespace {

// In version 1 of attributes, everything begins at a multiple of eight.
std::uint64_t padded(std::uint64_t size, int version) {
  return version == 1 ? (size + 7) / 8 * 8 : size;
}

}  // namespace

void add_hdf5_attribute(Hdf5Object& object, std::span<const std::byte> message) {
  ByteReader reader(message, "attribute");
  const int version = reader.integer<std::uint8_t>();
  const auto flags = reader.integer<std::uint8_t>();
  const auto name_size = reader.integer<std::uint16_t>();
  const auto type_size = reader.integer<std::uint16_t>();
  const auto space_size = reader.integer<std::uint16_t>();
  if (version < 1 || version > 3) {
    reader.fail("expected version 1 to 3, found version " + std::to_string(version));
  }
  if (version > 1 && flags != 0) {
    throw Hdf5OtherLayout("an attribute of a shared type");
  }
  if (version == 3) {
    reader.take(1);  // the character set of the name
  }
  std::string name = reader.text(padded(name_size, version));
  name.resize(std::min(name.find('\0'), name.size()));
  Hdf5Attribute attribute;
  attribute.type = reader.take(padded(type_size, version));
  attribute.space = reader.take(padded(space_size, version));
  attribute.data = reader.take(reader.remaining());
  if (!object.attributes.emplace(name, attribute).second) {
    reader.fail("\"" + name + "\" is there twice");
  }
}

void add_hdf5_link(Hdf5Object& object, std::span<const std::byte> message) {
  ByteReader reader(message, "link");
  const int version = reader.integer<std::uint8_t>();
  const unsigned flags = reader.integer<std::uint8_t>();
  if (version != 1) {
    reader.fail("expected version 1, found " + std::to_string(version));
  }
  constexpr unsigned kHasKind = 8;
  constexpr unsigned kHasOrder = 4;
  constexpr unsigned kHasCharacterSet = 16;
  const int kind = (flags & kHasKind) != 0 ? reader.integer<std::uint8_t>() : 0;
  reader.take(((flags & kHasOrder) != 0 ? 8 : 0) + ((flags & kHasCharacterSet) != 0 ? 1 : 0));
  const std::string name = reader.text(hdf5_integer(reader.take(std::size_t{1} << (flags & 3U))));
  const std::uint64_t address = kind == 0 ? reader.integer<std::uint64_t>() : kNowhere;
  if (!object.links.emplace(name, address).second) {
    reader.fail("\"" + name + "\" is there twice");
  }
}

void expect_no_hdf5_heap(std::span<const std::byte> message, const char* what,
                         std::size_t order_size) {
  ByteReader reader(message, what);
  reader.take(1);
  const bool ordered = (reader.integer<std::uint8_t>() & 1U) != 0;
  reader.take(ordered ? order_size : 0);
  if (reader.integer<std::uint64_t>() != kNowhere) {
    throw Hdf5OtherLayout(std::string("a heap of ") + what);
  }
}

bool hdf5_starts_with(std::span<const std::byte> bytes, std::string_view signature) {
  return std::ranges::equal(bytes.first(signature.size()), signature, {},
                            [](std::byte byte) { return static_cast<char>(byte); });
}

std::uint64_t hdf5_integer(std::span<const std::byte> bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    value |= std::to_integer<std::uint64_t>(bytes[i]) << (8 * i);
  }
  return value;
}

Hdf5Type hdf5_type(std::span<const std::byte> message) {
  ByteReader reader(message, "datatype");
  const auto first = reader.integer<std::uint8_t>();
  Hdf5Type type;
  type.kind = first & 0xF;
  const std::uint32_t low = reader.integer<std::uint16_t>();
  type.flags = low | (std::uint32_t{reader.integer<std::uint8_t>()} << 16);
  type.size = reader.integer<std::uint32_t>();
  if (type.size == 0) {
    reader.fail("of no bytes");
  }
  const auto properties = reader.take(type.kind == Hdf5Type::kInteger ? 4
                                      : type.kind == Hdf5Type::kFloat ? 12
                                                                      : 0);
  std::ranges::transform(properties, type.properties.begin(), std::to_integer<std::uint8_t>);
  return type;
}

Shape hdf5_shape(std::span<const std::byte> message) {
  constexpr int kMaxRank = 8;
  ByteReader reader(message, "dataspace");
  const int version = reader.integer<std::uint8_t>();
  const int rank = reader.integer<std::uint8_t>();
  reader.take(1);  // whether there are largest sizes, too
  const int kind = reader.integer<std::uint8_t>();
  constexpr int kNull = 2;
  if (version == 2 && kind == kNull) {
    throw Hdf5OtherLayout("a dataspace of nothing");
  }
  if (rank > kMaxRank) {
    throw FormatError("expected 0 to " + std::to_string(kMaxRank) + " dimensions");
  }
  if (version == 1) {
    reader.take(4);
  } else if (version != 2) {
    reader.fail("expected version 1 or 2, found " + std::to_string(version));
  }
  Shape shape;
  for (int i = 0; i < rank; ++i) {
    shape.push_back(static_cast<std::int64_t>(reader.integer<std::uint64_t>()));
  }
  element_count(shape);
  return shape;
}

}  // namespace ltz::formats
