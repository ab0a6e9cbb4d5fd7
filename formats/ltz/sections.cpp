#include "formats/ltz/sections.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "formats/bytes/bytes.h"
#include "formats/bytes/checked.h"
#include "formats/bytes/crc32c.h"
#include "formats/ltz/ltz.h"

namespace ltz::formats {
namespace {

// As in PNG's signature: a byte that no text starts with, then line ends and a DOS end of file
// that a transfer in text mode would change.
constexpr std::array<std::uint8_t, 8> kMagic = {0x8C, 'L', 'T', 'Z', '\r', '\n', 0x1A, '\n'};
constexpr std::size_t kRecognised = 4;  // bytes of kMagic that such a transfer leaves alone

constexpr std::size_t kHeaderSize = 24;  // magic, version, number of sections, file size
constexpr std::size_t kEntrySize = 24;   // tag, CRC, offset, length
constexpr std::size_t kMaxSections = 64;

constexpr std::array<std::string_view, 9> kOrder = {
    kConfigSection, kSourceSection, kTargetSection,    kLanguageSection, kMergesSection,
    kPiecesSection, kIndexSection,  kEmbeddingSection, kDataSection};

constexpr std::array<std::string_view, 4> kRequired = {kConfigSection, kIndexSection,
                                                       kEmbeddingSection, kDataSection};

bool starts_with_magic(std::span<const std::byte> bytes, std::size_t count) {
  return bytes.size() >= count &&
         std::equal(kMagic.begin(), kMagic.begin() + static_cast<std::ptrdiff_t>(count),
                    bytes.begin(), [](std::uint8_t expected, std::byte found) {
                      return static_cast<std::byte>(expected) == found;
                    });
}

std::string hex(std::uint32_t value) {
  std::array<char, 9> text{};
  std::snprintf(text.data(), text.size(), "%08x", value);
  return text.data();
}

void expect_crc(const std::string& what, std::uint32_t expected, std::span<const std::byte> bytes) {
  const std::uint32_t found = crc32c(bytes);
  if (kChecksums && found != expected) {
    throw FormatError(what + ": damaged: expected CRC-32C " + hex(expected) + ", found " +
                      hex(found));
  }
}

// Reads what comes before the table and returns the number of sections.
std::size_t read_header(ByteReader& reader, std::size_t file_size) {
  const auto magic = reader.take(kMagic.size());
  if (!starts_with_magic(magic, kMagic.size())) {
    reader.fail(starts_with_magic(magic, kRecognised)
                    ? "damaged magic bytes: the file was probably transferred as text"
                    : "expected the magic bytes of an .ltz file");
  }
  // Before anything else of a file that a later version may have laid out differently.
  const auto major = reader.integer<std::uint16_t>();
  reader.integer<std::uint16_t>();
  if (major > kLtzMajor) {
    reader.fail("written by a newer ltz: expected version " + std::to_string(kLtzMajor) +
                ", found " + std::to_string(major));
  }
  if (major == 0) {
    reader.fail("version 0 does not exist");
  }
  const std::size_t sections = reader.integer<std::uint32_t>();
  const auto size = reader.integer<std::uint64_t>();
  if (size > file_size) {
    reader.fail("truncated file: expected " + std::to_string(size) + " bytes, found " +
                std::to_string(file_size));
  }
  if (size < file_size) {
    reader.fail(std::to_string(file_size - size) + " trailing bytes behind the file's end");
  }
  if (sections > kMaxSections) {
    reader.fail("expected at most " + std::to_string(kMaxSections) + " sections, found " +
                std::to_string(sections));
  }
  return sections;
}

// A tag that this version does not know may only be one that readers need not know.
void check_tag(const std::string& tag, std::size_t& rank) {
  const auto found = std::ranges::find(kOrder, tag);
  if (found == kOrder.end()) {
    if (tag[0] < 'a' || tag[0] > 'z') {
      std::string shown = tag;
      std::ranges::replace_if(
          shown, [](char c) { return c < '!' || c > '~'; }, '?');
      throw FormatError("unknown section \"" + shown + "\" that a reader must know");
    }
    rank = kOrder.size();
    return;
  }
  const auto position = static_cast<std::size_t>(found - kOrder.begin());
  if (position < rank) {
    throw FormatError("section " + tag + " is there twice or out of order");
  }
  rank = position + 1;
}

}  // namespace

bool is_ltz(std::span<const std::byte> bytes) {
  return starts_with_magic(bytes, kRecognised);
}

std::vector<std::byte> write_sections(const std::vector<Section>& sections) {
  std::uint64_t offset = kHeaderSize + kEntrySize * sections.size() + sizeof(std::uint32_t);
  std::uint64_t size = offset;
  for (const Section& section : sections) {
    size += section.content.size();
  }
  std::vector<std::byte> out;
  out.reserve(static_cast<std::size_t>(size));
  for (const std::uint8_t byte : kMagic) {
    put_integer(out, byte);
  }
  put_integer(out, kLtzMajor);
  const bool language =
      std::ranges::find(sections, kLanguageSection, &Section::tag) != sections.end();
  put_integer(out, language ? kLtzMinor : std::uint16_t{0});
  put_integer(out, static_cast<std::uint32_t>(sections.size()));
  put_integer(out, size);
  for (const Section& section : sections) {
    put_bytes(out, std::as_bytes(std::span(section.tag)));
    put_integer(out, crc32c(section.content));
    put_integer(out, offset);
    put_integer(out, static_cast<std::uint64_t>(section.content.size()));
    offset += section.content.size();
  }
  put_integer(out, crc32c(out));
  for (const Section& section : sections) {
    put_bytes(out, section.content);
  }
  return out;
}

std::vector<SectionView> read_sections(std::span<const std::byte> bytes) {
  ByteReader reader(bytes, "header");
  const std::size_t count = read_header(reader, bytes.size());
  ByteReader table(reader.take(kEntrySize * count), "section table");
  std::size_t offset = bytes.size() - reader.remaining();
  expect_crc("header", reader.integer<std::uint32_t>(), bytes.first(offset));
  offset += sizeof(std::uint32_t);

  std::vector<SectionView> sections;
  std::size_t rank = 0;
  for (std::size_t i = 0; i < count; ++i) {
    SectionView section;
    section.tag = table.text(4);
    check_tag(section.tag, rank);
    section.crc = table.integer<std::uint32_t>();
    const auto start = table.integer<std::uint64_t>();
    const auto length = table.integer<std::uint64_t>();
    if (start != offset) {
      table.fail(section.tag + ": expected offset " + std::to_string(offset) + ", found " +
                 std::to_string(start));
    }
    if (length > bytes.size() - offset) {
      table.fail(section.tag + ": " + std::to_string(length) + " bytes reach beyond the file");
    }
    section.content = bytes.subspan(offset, static_cast<std::size_t>(length));
    offset += length;
    sections.push_back(section);
  }
  if (offset != bytes.size()) {
    table.fail("the sections end at byte " + std::to_string(offset) + ", the file at " +
               std::to_string(bytes.size()));
  }
  const auto require = [&](std::string_view tag) {
    if (find_section(sections, tag) == nullptr) {
      table.fail("section " + std::string(tag) + " is missing");
    }
  };
  std::ranges::for_each(kRequired, require);
  if (find_section(sections, kLanguageSection) == nullptr) {
    require(kSourceSection);
  } else if (find_section(sections, kSourceSection) != nullptr ||
             find_section(sections, kTargetSection) != nullptr) {
    table.fail("section VLNG is there beside the vocabularies of a translation model");
  }
  return sections;
}

void check_crc(const SectionView& section) {
  expect_crc("section " + section.tag, section.crc, section.content);
}

const SectionView* find_section(std::span<const SectionView> sections, std::string_view tag) {
  const auto found = std::ranges::find(sections, tag, &SectionView::tag);
  return found == sections.end() ? nullptr : &*found;
}

}  // namespace ltz::formats
