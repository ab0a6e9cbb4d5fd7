#include "formats/ltz/index.h"

#include <algorithm>
#include <cstddef>
#include <limits>

#include "formats/bytes/bytes.h"

namespace ltz::formats {
namespace {

constexpr std::uint8_t kTableFlag = 0x80;
constexpr std::uint64_t kMaxRank = 8;

IndexEntry decode_entry(ByteReader& reader) {
  IndexEntry entry;
  entry.name = reader.text(reader.varint());
  const auto kind = reader.integer<std::uint8_t>();
  const auto number = static_cast<std::uint8_t>(kind & ~kTableFlag);
  if (number >= kPayloadKinds) {
    reader.fail("tensor " + entry.name + ": unknown encoding " + std::to_string(number));
  }
  entry.kind = static_cast<PayloadKind>(number);
  entry.table = (kind & kTableFlag) != 0;
  const std::uint64_t rank = reader.varint();
  if (rank > kMaxRank) {
    reader.fail("tensor " + entry.name + ": expected at most " + std::to_string(kMaxRank) +
                " dimensions, found " + std::to_string(rank));
  }
  for (std::uint64_t i = 0; i < rank; ++i) {
    entry.shape.push_back(static_cast<std::int64_t>(reader.varint()));
  }
  entry.length = reader.varint();
  return entry;
}

}  // namespace

std::vector<std::byte> encode_index(const std::vector<IndexEntry>& entries) {
  std::vector<std::byte> out;
  put_varint(out, entries.size());
  for (const IndexEntry& entry : entries) {
    put_varint(out, entry.name.size());
    put_bytes(out, std::as_bytes(std::span(entry.name)));
    const auto kind = static_cast<std::uint8_t>(entry.kind);
    put_integer(out, static_cast<std::uint8_t>(entry.table ? kind | kTableFlag : kind));
    put_varint(out, entry.shape.size());
    for (const std::int64_t dimension : entry.shape) {
      put_varint(out, static_cast<std::uint64_t>(dimension));
    }
    put_varint(out, entry.length);
  }
  return out;
}

std::vector<IndexEntry> decode_index(std::span<const std::byte> bytes, std::int64_t max_elements) {
  ByteReader reader(bytes, "tensor index");
  const std::uint64_t count = reader.varint();
  std::vector<IndexEntry> entries;  // not reserved: `count` is only a claim
  for (std::uint64_t i = 0; i < count; ++i) {
    IndexEntry entry = decode_entry(reader);
    if (!entries.empty() && entry.name <= entries.back().name) {
      reader.fail("tensor " + entry.name +
                  (entry.name == entries.back().name ? " is there twice" : " is out of order"));
    }
    entries.push_back(std::move(entry));
  }
  reader.expect_end();
  check_elements(entries, max_elements);
  return entries;
}

std::set<std::string> embedding_names(const ModelConfig& config) {
  std::set<std::string> names;
  for (const ParameterSpec& spec : parameter_specs(config)) {
    if (spec.component == Component::kEmbedding) {
      names.insert(spec.name);
    }
  }
  return names;
}

std::int64_t max_elements(std::size_t file_size) {
  constexpr std::int64_t kAlways = std::int64_t{1} << 27;
  constexpr std::int64_t kPerByte = 1024;
  // As floats, they must fit into the memory that there are addresses for.
  constexpr auto kAddressable =
      static_cast<std::int64_t>(std::numeric_limits<std::ptrdiff_t>::max() / sizeof(float));
  return std::min(kAlways + kPerByte * static_cast<std::int64_t>(file_size), kAddressable);
}

void check_elements(const std::vector<IndexEntry>& entries, std::int64_t max_elements) {
  std::int64_t left = max_elements;
  for (const IndexEntry& entry : entries) {
    const std::int64_t count = element_count(entry.shape);
    if (count > left) {
      throw FormatError("tensor " + entry.name + " " + to_string(entry.shape) +
                        ": more elements in all than the " + std::to_string(max_elements) +
                        " that a file of this size may have");
    }
    left -= count;
  }
}

}  // namespace ltz::formats
