#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "formats/torch/archive.h"
#include "model/base/context.h"
#include "model/base/error.h"

namespace ltz::formats {
namespace {

// LONG1 of 10 bytes: 0x1950a86a20f9469cfc6c.
constexpr std::array<std::uint8_t, 12> kMagic = {0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46,
                                                 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19};
constexpr std::int64_t kProtocolVersion = 1001;

std::uint64_t load_count(std::span<const std::byte> bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 8; i-- > 0;) {
    value = value << 8 | std::to_integer<std::uint64_t>(bytes[i]);
  }
  return value;
}

std::vector<std::string> texts_of(PickleValue list) {
  if (!list.is(PickleType::kList)) {
    throw FormatError(fmt::format("expected a list, found {}", to_string(list.type())));
  }
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < list.size(); ++i) {
    texts.emplace_back(list.item(i).as_string());
  }
  return texts;
}

}  // namespace

bool TorchStream::recognizes(std::span<const std::byte> bytes) {
  // In front of the number: PROTO, and from protocol 4 on FRAME with its length.
  for (const std::size_t offset : {std::size_t{2}, std::size_t{11}}) {
    if (bytes.size() >= offset + kMagic.size() && bytes[0] == std::byte{0x80} &&
        std::ranges::equal(bytes.subspan(offset, kMagic.size()), kMagic,
                           [](std::byte a, std::uint8_t b) { return a == std::byte{b}; })) {
      return true;
    }
  }
  return false;
}

TorchStream::TorchStream(std::span<const std::byte> bytes)
    : file_size_(bytes.size()), rest_(bytes) {
  next_pickle("magic number");
  const Pickle version = next_pickle("protocol version");
  in_context("protocol version", [&] {
    if (const std::int64_t found = version.root().as_integer(); found != kProtocolVersion) {
      throw FormatError(fmt::format("expected {}, found {}", kProtocolVersion, found));
    }
  });
  const Pickle system = next_pickle("system information");
  in_context("system information", [&] {
    const auto little_endian = system.root().find("little_endian");
    if (!little_endian) {
      throw FormatError("\"little_endian\" is missing");
    }
    if (!little_endian->as_bool()) {
      throw FormatError("expected little-endian storages, found big-endian ones");
    }
  });
  object_ = next_pickle("object");
  const Pickle keys = next_pickle("storage keys");
  index_storages(in_context("storage keys", [&] { return texts_of(keys.root()); }));
}

Pickle TorchStream::next_pickle(std::string_view what) {
  return in_context(std::string(what), [&] {
    Pickle pickle = read_pickle(rest_);
    rest_ = rest_.subspan(pickle.consumed());
    return pickle;
  });
}

// All storages have to be walked over to find the next one; their size depends on the class, which
// the object's persistent ids name.
void TorchStream::index_storages(const std::vector<std::string>& keys) {
  std::unordered_map<std::string, StorageReference> references;
  for (const PickleValue& value : object_.persistent_ids()) {
    const PickleValue id = value.persistent_id();
    const bool storage = id.is(PickleType::kTuple) && id.size() > 0 &&
                         id.item(0).is(PickleType::kString) && id.item(0).as_string() == "storage";
    if (storage) {
      StorageReference reference = parse_storage_reference(id);
      const std::string key = reference.key;
      references.emplace(key, std::move(reference));
    }
  }
  for (const std::string& key : keys) {
    const auto reference = references.find(key);
    if (reference == references.end()) {
      throw FormatError(fmt::format("storage {} does not belong to any tensor", key));
    }
    const auto expected = static_cast<std::uint64_t>(reference->second.byte_count());
    if (rest_.size() < 8 || rest_.size() - 8 < expected) {
      throw FormatError(fmt::format("storage {}: expected {} bytes, {} are left", key, expected + 8,
                                    rest_.size()));
    }
    if (load_count(rest_) != static_cast<std::uint64_t>(reference->second.count)) {
      throw FormatError(fmt::format("storage {}: expected {} elements, found {}", key,
                                    reference->second.count, load_count(rest_)));
    }
    if (!storages_.emplace(key, rest_.subspan(8, expected)).second) {
      throw FormatError(fmt::format("storage {} is there twice", key));
    }
    rest_ = rest_.subspan(8 + expected);
  }
  if (!rest_.empty()) {
    throw FormatError(fmt::format("{} bytes after the last storage", rest_.size()));
  }
}

std::span<const std::byte> TorchStream::storage(const StorageReference& reference) const {
  const auto found = storages_.find(reference.key);
  if (found == storages_.end()) {
    throw FormatError(fmt::format("storage {} is missing", reference.key));
  }
  const std::int64_t expected = reference.byte_count();
  if (found->second.size() != static_cast<std::uint64_t>(expected)) {
    throw FormatError(fmt::format("storage {}: expected {} bytes, found {}", reference.key,
                                  expected, found->second.size()));
  }
  return found->second;
}

}  // namespace ltz::formats
