#include <algorithm>
#include <cstring>

#include "formats/bytes/bytes.h"
#include "formats/hdf5/image.h"
#include "model/base/context.h"
#include "model/base/error.h"

namespace ltz::formats {
namespace {

constexpr std::uint32_t kKindOfVariable = 0xF;
constexpr std::uint32_t kVariableString = 1;
// In the file, a string's length, the address of its heap and its number there.
constexpr std::uint32_t kReferenceSize = 16;

bool is_text(const Hdf5Type& type) {
  return type.kind == Hdf5Type::kString ||
         (type.kind == Hdf5Type::kVariable && (type.flags & kKindOfVariable) == kVariableString &&
          type.size == kReferenceSize);
}

// Up to a NUL.
std::string text_of(std::span<const std::byte> bytes) {
  const auto* text = reinterpret_cast<const char*>(bytes.data());
  return {text, strnlen(text, bytes.size())};
}

}  // namespace

std::string Hdf5Image::text_attribute(const Hdf5Object& object, const std::string& name) {
  const Hdf5Attribute& source = object.attribute(name);
  return in_context("attribute " + name, [&] {
    const Hdf5Type type = hdf5_type(source.type);
    if (!is_text(type) || element_count(hdf5_shape(source.space)) != 1) {
      throw FormatError("expected one string");
    }
    return line(type, ByteReader(source.data, "text").take(type.size));
  });
}

std::vector<std::string> Hdf5Image::lines(const Hdf5Object& group, const std::string& name) {
  const Dataset source = dataset(group, name);
  if (source.shape == Shape{0}) {
    return {};  // h5py makes floats of an empty list
  }
  if (!is_text(source.type) || source.shape.size() != 1) {
    throw FormatError(name + ": expected a one-dimensional dataset of strings");
  }
  // Short words become larger in memory than they are in the file.
  if (!file_.has(static_cast<std::uint64_t>(source.shape[0]),
                 source.type.size + sizeof(std::string))) {
    throw FormatError(name + ": " + to_string(source.shape) +
                      " strings are more than the file has");
  }
  const auto table = data(source, name);
  return in_context(name, [&] {
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < table.size(); at += source.type.size) {
      lines.push_back(line(source.type, table.subspan(at, source.type.size)));
    }
    return lines;
  });
}

std::string Hdf5Image::line(const Hdf5Type& type, std::span<const std::byte> element) {
  if (type.kind == Hdf5Type::kString) {
    constexpr std::uint32_t kPadding = 0xF;
    constexpr std::uint32_t kSpaces = 2;
    std::string text = text_of(element);
    if ((type.flags & kPadding) == kSpaces) {
      text.erase(text.find_last_not_of(' ') + 1);
    }
    return text;
  }
  ByteReader reader(element, "string");
  const auto length = reader.integer<std::uint32_t>();
  const auto heap = reader.integer<std::uint64_t>();
  if (length == 0) {
    return {};
  }
  const HeapObject& object = heap_object(heap, reader.integer<std::uint32_t>());
  if (length > object.size) {
    reader.fail("expected " + std::to_string(length) + " bytes, found " +
                std::to_string(object.size));
  }
  return text_of(file_.take(object.address, length, "a string"));
}

const Hdf5Image::HeapObject& Hdf5Image::heap_object(std::uint64_t heap, std::uint32_t number) {
  constexpr std::size_t kFront = 16;
  auto& objects = heaps_[heap];
  if (objects.empty()) {
    const auto front = file_.take(heap, kFront, "a heap of strings");
    if (!hdf5_starts_with(front, "GCOL\1")) {
      throw FormatError("expected a heap of strings at byte " + std::to_string(heap));
    }
    ByteReader reader(file_.take(heap, get_integer<std::uint64_t>(front.data() + 8), "a heap"),
                      "heap of strings");
    const std::size_t size = reader.remaining();
    reader.take(kFront);
    while (reader.remaining() >= kFront) {
      const auto found = reader.integer<std::uint16_t>();
      reader.take(6);  // references and padding
      const auto length = reader.integer<std::uint64_t>();
      if (found == 0) {
        break;  // free space
      }
      objects.push_back({found, heap + size - reader.remaining(), length});
      reader.take(length);
      reader.take(std::min<std::uint64_t>((8 - length % 8) % 8, reader.remaining()));
    }
    std::ranges::sort(objects, {}, &HeapObject::number);
  }
  const auto object = std::ranges::lower_bound(objects, number, {}, &HeapObject::number);
  if (object == objects.end() || object->number != number) {
    throw FormatError("string " + std::to_string(number) + " is not in its heap");
  }
  return *object;
}

}  // namespace ltz::formats
