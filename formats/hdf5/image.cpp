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

// How a dataset is stored.
enum Layout : std::uint8_t { kCompact = 0, kContiguous = 1 };

// Section II.A.
std::uint64_t root_address(Hdf5Bytes& file, std::size_t file_size) {
  const auto start = file.take(0, 9, "the superblock");
  if (!hdf5_starts_with(start, "\x89HDF\r\n\x1a\n")) {
    throw Hdf5OtherLayout("a user block in front");
  }
  const auto version = std::to_integer<int>(start[8]);
  if (version > 3) {
    throw FormatError("expected a superblock of version 0 to 3, found version " +
                      std::to_string(version));
  }
  if (version < 2) {
    throw Hdf5OtherLayout("an old superblock");
  }
  const auto superblock = file.take(0, 48, "the superblock");
  check_hdf5_checksum(superblock, "the superblock");
  ByteReader reader(superblock.subspan(9), "the superblock");
  const int offset_size = reader.integer<std::uint8_t>();
  const int length_size = reader.integer<std::uint8_t>();
  reader.take(1);
  if (offset_size != 8 || length_size != 8 || reader.integer<std::uint64_t>() != 0) {
    throw Hdf5OtherLayout("other addresses than those of 8 bytes from the beginning of the file");
  }
  reader.take(8);  // the superblock's extension
  const auto end = reader.integer<std::uint64_t>();
  if (end > file_size) {
    throw FormatError("truncated: expected " + std::to_string(end) + " bytes, found " +
                      std::to_string(file_size));
  }
  return reader.integer<std::uint64_t>();
}

}  // namespace

Hdf5Image::Hdf5Image(std::span<const std::byte> bytes)
    : file_(bytes), root_(read_hdf5_object(file_, root_address(file_, bytes.size()))) {}

Hdf5Object Hdf5Image::open(const Hdf5Object& parent, const std::string& name) {
  const auto link = parent.links.find(name);
  if (link == parent.links.end()) {
    throw FormatError(name + " is missing");
  }
  if (link->second == kNowhere) {
    throw Hdf5OtherLayout("a soft or external link");
  }
  return in_context(name, [&] { return read_hdf5_object(file_, link->second); });
}

Hdf5Object Hdf5Image::group(const Hdf5Object& parent, const std::string& name) {
  Hdf5Object object = open(parent, name);
  if (!object.group) {
    throw FormatError(name + ": expected a group");
  }
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
    if (type.kind != Hdf5Type::kInteger || count > kMaxCount) {
      throw FormatError("expected at most " + std::to_string(kMaxCount) + " integers");
    }
    if ((type.flags & kBigEndian) != 0 || type.size > 8) {
      throw Hdf5OtherLayout("big-endian integers");
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
    if (object.external) {
      throw FormatError("expected the data in this file, found it in another");
    }
    ByteReader layout(*object.layout, "layout");
    const auto version = layout.integer<std::uint8_t>();
    const auto kind = layout.integer<std::uint8_t>();
    if (version < 3 || version > 4 || kind > kContiguous || object.filtered) {
      throw Hdf5OtherLayout("storage that is chunked or filtered");
    }
    return Dataset{hdf5_type(*object.type), hdf5_shape(*object.space), kind,
                   layout.take(layout.remaining())};
  });
}

Shape Hdf5Image::shape(const Hdf5Object& group, const std::string& name) {
  return dataset(group, name).shape;
}

// Section IV.A.2.i.
std::span<const std::byte> Hdf5Image::data(const Dataset& dataset, const std::string& name) {
  const auto count = static_cast<std::uint64_t>(element_count(dataset.shape));
  if (!file_.has(count, dataset.type.size)) {
    throw FormatError(name + ": " + std::to_string(count) + " elements of " +
                      std::to_string(dataset.type.size) + " bytes are more than the file has");
  }
  const std::uint64_t size = count * dataset.type.size;
  ByteReader reader(dataset.place, name + ": layout");
  const std::uint64_t address = dataset.layout == kContiguous ? reader.integer<std::uint64_t>() : 0;
  const std::uint64_t stored = dataset.layout == kContiguous ? reader.integer<std::uint64_t>()
                                                             : reader.integer<std::uint16_t>();
  if (address == kNowhere && size != 0) {
    throw Hdf5OtherLayout("data that nobody wrote");
  }
  if (stored != size && address != kNowhere) {
    throw FormatError(name + ": expected " + std::to_string(size) + " bytes of storage, found " +
                      std::to_string(stored));
  }
  if (dataset.layout == kCompact) {
    return reader.take(size);
  }
  return size == 0 ? std::span<const std::byte>() : file_.take(address, size, name);
}

std::span<const std::byte> Hdf5Image::numbers(const Dataset& source, const std::string& name,
                                              const Shape& shape, const Hdf5Type& type) {
  if (source.type != type) {
    throw Hdf5OtherLayout("elements of another type");
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
  const auto elements = numbers(source, name, shape, swapped ? swapped_type : kFloat32);
  std::vector<float> values(elements.size() / sizeof(float));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto bits = get_integer<std::uint32_t>(elements.data() + i * sizeof(float));
    values[i] = std::bit_cast<float>(swapped ? __builtin_bswap32(bits) : bits);
  }
  return values;
}

std::vector<float> Hdf5Image::halves(const Hdf5Object& group, const std::string& name,
                                     const Shape& shape) {
  const auto elements = numbers(dataset(group, name), name, shape, kFloat16);
  std::vector<float> values(elements.size() / 2);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = float16_value(get_integer<std::uint16_t>(elements.data() + 2 * i));
  }
  return values;
}

std::vector<float> Hdf5Image::bfloat16s(const Hdf5Object& group, const std::string& name,
                                        const Shape& shape) {
  const auto elements = numbers(dataset(group, name), name, shape, kUint16);
  std::vector<float> values(elements.size() / 2);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = bfloat16_value(get_integer<std::uint16_t>(elements.data() + 2 * i));
  }
  return values;
}

std::vector<std::uint8_t> Hdf5Image::bytes(const Hdf5Object& group, const std::string& name,
                                           const Shape& shape) {
  const auto elements = numbers(dataset(group, name), name, shape, kUint8);
  std::vector<std::uint8_t> values(elements.size());
  std::ranges::transform(elements, values.begin(), std::to_integer<std::uint8_t>);
  return values;
}

}  // namespace ltz::formats
