#include "formats/hdf5/object.h"

#include <vector>

#include "formats/bytes/bytes.h"

namespace ltz::formats {
namespace {

using Bytes = std::span<const std::byte>;

enum MessageKind : std::uint16_t {
  kDataspace = 0x01,
  kLinkInfo = 0x02,
  kDatatype = 0x03,
  kLink = 0x06,
  kExternalFiles = 0x07,
  kLayout = 0x08,
  kFilters = 0x0B,
  kAttribute = 0x0C,
  kContinuation = 0x10,
  kSymbolTable = 0x11,
  kAttributeInfo = 0x15,
};

class HeaderReader {
 public:
  explicit HeaderReader(Hdf5Bytes& file) : file_(file) {}

  Hdf5Object read(std::uint64_t address) {
    const Bytes start = file_.take(address, 16, "an object's header");
    if (hdf5_starts_with(start, "OHDR")) {
      read_prefix(address, start);
    } else if (start[0] == std::byte{1}) {
      // Section IV.A.1.a: version, reserved, messages (2), references (4), size (4), reserved (4).
      messages_of_1(
          file_.take(address + 16, get_integer<std::uint32_t>(start.data() + 8), "a header"));
    } else {
      throw FormatError("expected an object's header at byte " + std::to_string(address));
    }
    // The blocks that go on are added while these are read.
    for (std::size_t i = 0; i < continuations_.size(); ++i) {
      ByteReader reader(continuations_[i], "continuation of a header");
      const auto place = reader.integer<std::uint64_t>();
      const Bytes block = file_.take(place, reader.integer<std::uint64_t>(), "a header's end");
      if (version_ == 1) {
        messages_of_1(block);
      } else if (block.size() >= 8 && hdf5_starts_with(block, "OCHK")) {
        check_hdf5_checksum(block, "the end of an object's header");
        messages_of_2(block.subspan(4, block.size() - 8));
      } else {
        throw FormatError("expected the end of a header at byte " + std::to_string(place));
      }
    }
    return std::move(object_);
  }

 private:
  // Section IV.A.1.b.
  void read_prefix(std::uint64_t address, Bytes start) {
    version_ = 2;
    const auto found = std::to_integer<int>(start[4]);
    if (found != 2) {
      throw FormatError("expected an object's header of version 2, found " + std::to_string(found));
    }
    const auto flags = std::to_integer<unsigned>(start[5]);
    ordered_ = (flags & 4U) != 0;
    const std::size_t width = std::size_t{1} << (flags & 3U);
    const std::size_t before = 6 + ((flags & 0x20U) != 0 ? 16 : 0) + ((flags & 0x10U) != 0 ? 4 : 0);
    const Bytes prefix = file_.take(address, before + width, "an object's header");
    const std::uint64_t size = hdf5_integer(prefix.subspan(before));
    // 64 bits of size would wrap.
    file_.take(address, size, "an object's header");
    const Bytes whole = file_.take(address, prefix.size() + size + 4, "an object's header");
    check_hdf5_checksum(whole, "an object's header");
    messages_of_2(whole.subspan(prefix.size(), static_cast<std::size_t>(size)));
  }

  // A group has a link for every parameter. Far above any; what is made of messages is larger than
  // they are.
  void count(std::size_t size) {
    constexpr std::size_t kMaxSize = std::size_t{1} << 20;
    size_ += size;
    if (size_ > kMaxSize) {
      throw FormatError("expected at most " + std::to_string(kMaxSize) +
                        " bytes of an object's header, found more");
    }
  }

  void messages_of_1(Bytes bytes) {
    count(bytes.size());
    constexpr std::size_t kFront = 8;
    ByteReader reader(bytes, "an object's header");
    while (reader.remaining() >= kFront) {
      const auto kind = reader.integer<std::uint16_t>();
      const auto size = reader.integer<std::uint16_t>();
      const auto flags = reader.integer<std::uint8_t>();
      reader.take(3);
      add(kind, flags, reader.take(size));
    }
  }

  // What is too short for one more message is a gap.
  void messages_of_2(Bytes bytes) {
    count(bytes.size());
    const std::size_t order = ordered_ ? 2 : 0;
    ByteReader reader(bytes, "an object's header");
    while (reader.remaining() >= 4 + order) {
      const auto kind = reader.integer<std::uint8_t>();
      const auto size = reader.integer<std::uint16_t>();
      const auto flags = reader.integer<std::uint8_t>();
      reader.take(order);
      add(kind, flags, reader.take(size));
    }
  }

  void add(std::uint16_t kind, std::uint8_t flags, Bytes message) {
    constexpr unsigned kShared = 2;
    if ((flags & kShared) != 0) {
      throw Hdf5OtherLayout("a shared message");
    }
    switch (kind) {
      case kDataspace:
        object_.space = message;
        break;
      case kDatatype:
        object_.type = message;
        break;
      case kLayout:
        object_.layout = message;
        break;
      case kFilters:
        object_.filtered = true;
        break;
      case kExternalFiles:
        object_.external = true;
        break;
      case kLink:
        add_hdf5_link(object_, message);
        break;
      case kAttribute:
        add_hdf5_attribute(object_, message);
        break;
      case kContinuation:
        continuations_.push_back(message);
        break;
      case kLinkInfo:
        object_.group = true;
        expect_no_hdf5_heap(message, "links", 8);
        break;
      case kAttributeInfo:
        expect_no_hdf5_heap(message, "attributes", 2);
        break;
      case kSymbolTable:
        throw Hdf5OtherLayout("a symbol table");
      default:
        break;
    }
  }

  Hdf5Bytes& file_;
  Hdf5Object object_;
  std::vector<Bytes> continuations_;
  std::size_t size_ = 0;
  int version_ = 1;
  bool ordered_ = false;
};

}  // namespace

Hdf5Bytes::Hdf5Bytes(std::span<const std::byte> bytes) : bytes_(bytes), left_(4 * bytes.size()) {}

std::span<const std::byte> Hdf5Bytes::take(std::uint64_t address, std::uint64_t size,
                                           const std::string& what) {
  if (address > bytes_.size() || size > bytes_.size() - address) {
    throw FormatError(what + " reaches beyond the end of the file");
  }
  if (size > left_) {
    throw FormatError(what + ": the file has too many ways to the same bytes");
  }
  left_ -= size;
  return bytes_.subspan(static_cast<std::size_t>(address), static_cast<std::size_t>(size));
}

const Hdf5Attribute& Hdf5Object::attribute(const std::string& name) const {
  const auto found = attributes.find(name);
  if (found == attributes.end()) {
    throw FormatError("attribute " + name + " is missing");
  }
  return found->second;
}

Hdf5Object read_hdf5_object(Hdf5Bytes& file, std::uint64_t address) {
  return HeaderReader(file).read(address);
}

}  // namespace ltz::formats
