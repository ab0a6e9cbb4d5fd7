// .h5 files that no library writes: each part of the format wrong by itself. HDF5.md has the
// layout.

#include <catch2/catch.hpp>
#include <string>

#include "formats/hdf5/hdf5.h"
#include "malformed.h"
#include "raw_hdf5.h"
#include "tests/support/pickle_builder.h"

using namespace ltz;
using namespace ltz::test;
using namespace std::string_literals;

namespace {

constexpr std::uint8_t kDataspace = 1;
constexpr std::uint8_t kLinkInfo = 2;
constexpr std::uint8_t kLink = 6;
constexpr std::uint8_t kAttribute = 12;
constexpr std::uint8_t kContinuation = 16;
constexpr std::uint8_t kSymbolTable = 17;
constexpr std::uint8_t kAttributeInfo = 21;

Malformed file(const std::string& name, const RawHdf5& raw, const std::string& cause) {
  return {name, raw_hdf5(raw), {cause}};
}

Malformed messages(const std::string& name, const std::string& messages, const std::string& cause) {
  return file(name, {.messages = messages}, cause);
}

std::string continuation(std::uint64_t address, std::uint64_t size) {
  return raw_message(kContinuation, raw_integer(address, 8) + raw_integer(size, 8));
}

// The attribute "format" with another type or space than those of one string.
Malformed format(const std::string& name, const RawAttribute& attribute, const std::string& cause) {
  return messages(name, raw_attribute(attribute), "attribute format: " + cause);
}

// "format" as a string of variable length: where its heap is, the length and number there.
Malformed heap(const std::string& name, const std::string& bytes, std::uint64_t address,
               std::uint64_t length, std::uint64_t number, const std::string& cause) {
  const std::string type =
      raw_integer(0x19, 1) + raw_integer(1, 3) + raw_integer(16, 4) + raw_integer(0x13, 8);
  const std::string data =
      raw_integer(length, 4) + raw_integer(address, 8) + raw_integer(number, 4);
  Malformed malformed = file(
      name,
      {.messages = raw_attribute({.name = "format", .data = data, .type = type}), .before = bytes},
      "attribute format: ");
  malformed.says.push_back(cause);
  return malformed;
}

std::string heap_of(const std::string& objects) {
  return "GCOL" + raw_integer(1, 4) + raw_integer(16 + objects.size(), 8) + objects;
}

// Text of eight bytes.
std::string heap_object(std::uint64_t number, const std::string& text) {
  return raw_integer(number, 2) + raw_integer(1, 2) + raw_integer(0, 4) +
         raw_integer(text.size(), 8) + text;
}

}  // namespace

TEST_CASE("malformed hdf5: superblock and headers") {
  const std::string good = raw_attribute({.name = "format", .data = "ltz-checkpoint"});
  const std::string heap_info = raw_integer(0, 2) + raw_integer(64, 8) + raw_integer(96, 8);
  check_refused(
      {
          messages("nothing wrong with the structure", good, "attribute version is missing"),
          file("half an old superblock", {.superblock_version = 0}, "opening it: HDF5: "),
          file("superblock of the future", {.superblock_version = 4},
               "superblock of version 0 to 3, found version 4"),
          file("damaged superblock", {.superblock_damage = 1}, "the superblock is damaged"),
          file("addresses of four bytes", {.offset_size = 4}, "opening it: HDF5: "),
          file("another beginning", {.base = 512}, "opening it: HDF5: truncated file"),
          file("truncated", {.end = 1000}, "truncated: expected 1000 bytes, found 66"),
          file("root beyond the end", {.root = 1000}, "header reaches beyond the end of the file"),
          file("root nowhere", {.root = ~0ULL}, "header reaches beyond the end of the file"),
          file("no header", {.signature = "OHDX"}, "expected an object's header at byte 48"),
          file("a block that goes on as the root", {.signature = "OCHK"},
               "expected an object's header at byte 48"),
          file("header of the future", {.header_version = 3}, "of version 2, found 3"),
          file("header of 2^64 - 1 bytes", {.header_size = ~0ULL}, "reaches beyond the end"),
          file("header larger than the file", {.header_size = 1000}, "reaches beyond the end"),
          file("header of two megabytes", {.messages = std::string(2 << 20, '\0')},
               "expected at most 1048576 bytes of an object's header"),
          file("damaged header", {.messages = good, .header_damage = 1}, "header is damaged"),
          messages("cut message", raw_message(kAttribute, "").substr(0, 1) + "\377\377\0"s,
                   "an object's header: truncated: expected 65535 more bytes"),
          messages("shared message", raw_message(kDataspace, good, 2),
                   "HDF5: message type not found"),
          messages("attributes in a heap", raw_message(kAttributeInfo, heap_info),
                   "attribute format: HDF5: addr overflow"),
          messages("links in a heap", raw_message(kLinkInfo, heap_info),
                   "vocabulary: HDF5: addr overflow"),
          messages("half an information on links", raw_message(kLinkInfo, "\0\0"s),
                   "links: truncated"),
          messages("the same attribute twice", good + good, "\"format\" is there twice"),
          messages("symbol table", raw_message(kSymbolTable, std::string(16, '\0')),
                   "vocabulary: HDF5: "),
      },
      read_h5_file);
}

TEST_CASE("malformed hdf5: headers that go on") {
  const std::string end = raw_continuation("");
  std::string damaged = end;
  damaged.back() ^= 1;
  const auto with = [](const std::string& name, const std::string& before, std::uint64_t address,
                       std::uint64_t size, const std::string& cause) {
    return file(name, {.messages = continuation(address, size), .before = before}, cause);
  };
  const std::string itself = raw_continuation(continuation(RawHdf5::kBefore, 28));
  check_refused(
      {
          with("with nothing more", end, RawHdf5::kBefore, end.size(), "format is missing"),
          with("beyond the end", "", 1000, 8, "reaches beyond the end of the file"),
          with("with 2^64 - 1 bytes", "", 8, ~0ULL, "reaches beyond the end of the file"),
          with("with less than a checksum", end, RawHdf5::kBefore, 7,
               "expected the end of a header"),
          with("with another header", end, 0, 48, "expected the end of a header at byte 0"),
          with("with damage", damaged, RawHdf5::kBefore, end.size(), "header is damaged"),
          with("with itself", itself, RawHdf5::kBefore, itself.size(), "too many ways"),
      },
      read_h5_file);
}

TEST_CASE("malformed hdf5: links") {
  check_refused(
      {
          messages("twice", raw_link("tensors", 48) + raw_link("tensors", 48),
                   "\"tensors\" is there twice"),
          messages("of the future", raw_message(kLink, "\2\0"s),
                   "link: expected version 1, found 2"),
          messages("a name of 2^64 - 1 bytes", raw_message(kLink, "\1\3"s + std::string(8, '\377')),
                   "link: truncated: expected 18446744073709551615 more bytes"),
          messages("without an address", raw_message(kLink, "\1\0\1x"s), "link: truncated"),
      },
      read_h5_file);
}

TEST_CASE("malformed hdf5: types and spaces") {
  const std::string text = "ltz-checkpoint";
  check_refused(
      {
          format("type of no bytes", {"format", text, "\x13\0\0\0\0\0\0\0"s},
                 "datatype: of no bytes"),
          format("half a type", {"format", text, "\x13\0\0"s}, "datatype: truncated"),
          format("float without its fields", {"format", text, "\x11\x20\x1f\0\4\0\0\0"s},
                 "datatype: truncated"),
          format("longer than its data", {"format", text, "\x13\0\0\0\xff\xff\xff\xff"s},
                 "text: truncated: expected 4294967295 more bytes, found 14"),
          format("list of variable length", {"format", text, "\x19\0\0\0\x10\0\0\0"s},
                 "expected one string"),
          format("space of the future", {"format", text, {}, "\3\0\0\1"s},
                 "dataspace: expected version 1 or 2, found 3"),
          format("no space", {"format", text, {}, "\2\0\0\2"s}, "expected one string"),
          format("half a space", {"format", text, {}, "\2\1\0\1\1\0"s}, "dataspace: truncated"),
          format("nine dimensions", {"format", text, {}, "\2\x9\0\1"s + std::string(72, '\1')},
                 "expected 0 to 8 dimensions"),
          format("sizes that wrap around",
                 {"format",
                  text,
                  {},
                  "\2\2\0\1"s + raw_integer(1ULL << 40, 8) + raw_integer(1ULL << 40, 8)},
                 "too many elements"),
          format("a negative size", {"format", text, {}, "\2\1\0\1"s + raw_integer(~0ULL, 8)},
                 "negative dimension"),
          messages("attribute of the future", raw_message(kAttribute, "\4\0\0\0\0\0\0\0"s),
                   "attribute: expected version 1 to 3"),
          // The library reads beyond its end, which a sanitizer does not let it.
          messages("attribute of a shared type", raw_message(kAttribute, "\3\1\0\0\0\0\0\0"s),
                   ": "),
          messages("attribute of longer parts", raw_message(kAttribute, "\3\0\1\0\xff\0\1\0\0x"s),
                   "attribute: truncated"),
      },
      read_h5_file);
}

TEST_CASE("malformed hdf5: heaps of strings") {
  const std::uint64_t here = RawHdf5::kBefore;
  const std::string good = heap_of(heap_object(1, "keras\0\0\0"s));
  check_refused(
      {
          heap("another text", good, here, 8, 1, "expected \"ltz-checkpoint\""),
          heap("beyond the end", good, 1000, 8, 1, "reaches beyond the end of the file"),
          heap("no heap", "GCOX" + good.substr(4), here, 8, 1, "expected a heap of strings"),
          heap("of the future", "GCOL\2"s + good.substr(5), here, 8, 1,
               "expected a heap of strings"),
          heap("of 2^64 - 1 bytes", "GCOL\1\0\0\0"s + std::string(8, '\377'), here, 8, 1,
               "reaches beyond the end of the file"),
          heap("smaller than itself", "GCOL\1\0\0\0"s + raw_integer(8, 8), here, 8, 1,
               "heap of strings: truncated"),
          heap("another number", good, here, 8, 2, "string 2 is not in its heap"),
          heap("no number", good, here, 8, 0, "string 0 is not in its heap"),
          heap("longer than there", good, here, 9, 1, "expected 9 bytes, found 8"),
          heap("an object beyond its heap", heap_of(raw_integer(1, 8) + raw_integer(1ULL << 63, 8)),
               here, 8, 1, "heap of strings: truncated"),
          heap("free space in front",
               heap_of(heap_object(0, "12345678") + heap_object(1, "12345678")), here, 8, 1,
               "string 1 is not in its heap"),
      },
      read_h5_file);
}
