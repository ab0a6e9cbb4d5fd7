#include "formats/hdf5/image.h"

#include <algorithm>
#include <bit>

#include "formats/bytes/bytes.h"
#include "formats/bytes/float16.h"
#include "model/base/context.h"
#include "model/base/error.h"

namespace ltz::formats {
namespace {

// Properties: first bit and bits of an integer; of a float also first bit and bits of the exponent
// and of the fraction, and the exponent's bias. The flags of floats: where the sign is, and that a
// leading one is implied.
constexpr Hdf5Type kUint8{Hdf5Type::kInteger, 0, 1, {0, 0, 8}};
constexpr Hdf5Type kUint16{Hdf5Type::kInteger, 0, 2, {0, 0, 16}};
constexpr Hdf5Type kFloat16{Hdf5Type::kFloat, 0x0F20, 2, {0, 0, 16, 0, 10, 5, 0, 10, 15}};
constexpr Hdf5Type kFloat32{Hdf5Type::kFloat, 0x1F20, 4, {0, 0, 32, 0, 23, 8, 0, 23, 127}};

constexpr unsigned kBigEndian = 1;

Hdf5Type big_endian(Hdf5Type type) {
  type.flags |= kBigEndian;
  return type;
}

// Section II.A.
std::uint64_t root_address(Hdf5Bytes& file, std::size_t file_size) {
  const auto start = file.take(0, 9, "the superblock");
  const auto version = std::to_integer<int>(start[8]);
  if (version != 2 && version != 3) {
    refuse_hdf5_layout("expected the layout of HDF5 1.8, superblock version 2, found version " +
                       std::to_string(version));
  }
  const auto superblock = file.take(0, 48, "the superblock");
  check_hdf5_checksum(superblock, "the superblock");
  ByteReader reader(superblock.subspan(9), "the superblock");
  const int offset_size = reader.integer<std::uint8_t>();
  const int length_size = reader.integer<std::uint8_t>();
  reader.take(1);
  if (offset_size != 8 || length_size != 8 || reader.integer<std::uint64_t>() != 0) {
    reader.fail("expected addresses and lengths of 8 bytes from the beginning of the file");
  }
  reader.take(8);  // the superblock's extension
  const auto end = reader.integer<std::uint64_t>();
  if (end > file_size) {
    throw FormatError("truncated: expected " + std::to_string(end) + " bytes, found " +
                      std::to_string(file_size));
  }
  return reader.integer<std::uint64_t>();
}

void expect_links(const Hdf5Object& group) {
  if (group.symbol_table) {
    refuse_hdf5_layout("expected links in the object's header, found a symbol table");
  }
}

}  // namespace

Hdf5Image::Hdf5Image(std::span<const std::byte> bytes)
    : file_(bytes), root_(read_hdf5_object(file_, root_address(file_, bytes.size()))) {
  expect_links(root_);
}

// Only what hard links lead to: soft and external links could lead out of the file or nowhere.
Hdf5Object Hdf5Image::open(const Hdf5Object& parent, const std::string& name) {
  const auto link = parent.links.find(name);
  if (link == parent.links.end()) {
    throw FormatError(name + " is missing");
  }
  if (link->second == kNowhere) {
    throw FormatError(name + ": expected a hard link, found a soft or external one");
  }
  return in_context(name, [&] { return read_hdf5_object(file_, link->second); });
}

Hdf5Object Hdf5Image::group(const Hdf5Object& parent, const std::string& name) {
  Hdf5Object object = open(parent, name);
  if (!object.group) {
    throw FormatError(name + ": expected a group");
  }
  in_context(name, [&] { expect_links(object); });
  return object;
}

std::vector<std::int64_t> Hdf5Image::integers_attribute(const Hdf5Object& object,
                                                        const std::string& name) {
  constexpr std::int64_t kMaxCount = 8;
  constexpr unsigned kSigned = 8;
  const Hdf5Attribute& source = object.attribute(name);
  return in_context("attribute " + name, [&] {
    const Hdf5Type type = hdf5_type(source.type);
    const std::int64_t count = element_count(hdf5_shape(source.space));
    if (type.kind != Hdf5Type::kInteger || (type.flags & kBigEndian) != 0 || type.size > 8 ||
        count > kMaxCount) {
      throw FormatError("expected at most " + std::to_string(kMaxCount) +
                        " little-endian integers");
    }
    ByteReader reader(source.data, "elements");
    std::vector<std::int64_t> values;
    for (std::int64_t i = 0; i < count; ++i) {
      const std::uint64_t value = hdf5_integer(reader.take(type.size));
      const int unused = 64 - 8 * static_cast<int>(type.size);
      const auto high = static_cast<std::int64_t>(value << unused);
      values.push_back((type.flags & kSigned) != 0 ? high >> unused
                                                   : static_cast<std::int64_t>(value));
    }
    return values;
  });
}

Hdf5Image::Dataset Hdf5Image::dataset(const Hdf5Object& group, const std::string& name) {
  const Hdf5Object object = open(group, name);
  return in_context(name, [&] {
    if (!object.type || !object.space || !object.layout) {
      throw FormatError("expected a dataset");
    }
    return Dataset{hdf5_type(*object.type), hdf5_shape(*object.space), *object.layout,
                   object.filtered, object.external};
  });
}

Shape Hdf5Image::shape(const Hdf5Object& group, const std::string& name) {
  return dataset(group, name).shape;
}

// Section IV.A.2.i.
std::span<const std::byte> Hdf5Image::data(const Dataset& dataset, const std::string& name) {
  enum : std::uint8_t { kCompact = 0, kContiguous = 1 };
  ByteReader reader(dataset.layout, name + ": layout");
  const auto version = reader.integer<std::uint8_t>();
  const auto kind = reader.integer<std::uint8_t>();
  if (version < 3 || version > 4 || kind > kContiguous || dataset.filtered) {
    refuse_hdf5_layout(name + ": expected contiguous storage without filters, found another");
  }
  if (dataset.external) {
    throw FormatError(name + ": expected the data in this file, found it in another");
  }
  const auto count = static_cast<std::uint64_t>(element_count(dataset.shape));
  if (!file_.has(count, dataset.type.size)) {
    throw FormatError(name + ": " + std::to_string(count) + " elements of " +
                      std::to_string(dataset.type.size) + " bytes are more than the file has");
  }
  const std::uint64_t size = count * dataset.type.size;
  const std::uint64_t address = kind == kContiguous ? reader.integer<std::uint64_t>() : 0;
  std::uint64_t stored =
      kind == kContiguous ? reader.integer<std::uint64_t>() : reader.integer<std::uint16_t>();
  if (address == kNowhere) {
    stored = 0;
  }
  if (stored != size) {
    throw FormatError(name + ": expected " + std::to_string(size) + " bytes of storage, found " +
                      std::to_string(stored));
  }
  if (kind == kCompact) {
    return reader.take(size);
  }
  return size == 0 ? std::span<const std::byte>() : file_.take(address, size, name);
}

std::span<const std::byte> Hdf5Image::numbers(const Dataset& source, const std::string& name,
                                              const Shape& shape, const Hdf5Type& type,
                                              const char* type_name) {
  if (source.type != type) {
    throw FormatError(name + ": expected elements of type " + type_name);
  }
  if (source.shape != shape) {
    throw FormatError(name + ": expected shape " + to_string(shape) + ", found " +
                      to_string(source.shape));
  }
  return data(source, name);
}

std::vector<float> Hdf5Image::floats(const Hdf5Object& group, const std::string& name,
                                     const Shape& shape) {
  const Dataset source = dataset(group, name);
  const Hdf5Type swapped_type = big_endian(kFloat32);
  const bool swapped = source.type == swapped_type;
  const auto elements = numbers(source, name, shape, swapped ? swapped_type : kFloat32, "float32");
  std::vector<float> values(elements.size() / sizeof(float));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto bits = get_integer<std::uint32_t>(elements.data() + i * sizeof(float));
    values[i] = std::bit_cast<float>(swapped ? __builtin_bswap32(bits) : bits);
  }
  return values;
}

std::vector<float> Hdf5Image::halves(const Hdf5Object& group, const std::string& name,
                                     const Shape& shape) {
  const auto elements = numbers(dataset(group, name), name, shape, kFloat16, "float16");
  std::vector<float> values(elements.size() / 2);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = float16_value(get_integer<std::uint16_t>(elements.data() + 2 * i));
  }
  return values;
}

std::vector<float> Hdf5Image::bfloat16s(const Hdf5Object& group, const std::string& name,
                                        const Shape& shape) {
  const auto elements =
      numbers(dataset(group, name), name, shape, kUint16, "uint16 (the bits of bfloat16)");
  std::vector<float> values(elements.size() / 2);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = bfloat16_value(get_integer<std::uint16_t>(elements.data() + 2 * i));
  }
  return values;
}

std::vector<std::uint8_t> Hdf5Image::bytes(const Hdf5Object& group, const std::string& name,
                                           const Shape& shape) {
  const auto elements = numbers(dataset(group, name), name, shape, kUint8, "uint8");
  std::vector<std::uint8_t> values(elements.size());
  std::ranges::transform(elements, values.begin(), std::to_integer<std::uint8_t>);
  return values;
}

}  // namespace ltz::formats
