// .ltz files with a bad header, section table or packed block. LTZ.md has the layout.

#include <catch2/catch.hpp>
#include <string>

#include "formats/entropy/text_coder.h"
#include "formats/ltz/block.h"
#include "formats/ltz/ltz.h"
#include "ltz_parts.h"
#include "malformed.h"
#include "tests/support/pickle_builder.h"

using namespace ltz;
using namespace ltz::formats;
using namespace ltz::test;
using namespace std::string_literals;

namespace {

constexpr std::size_t kEntry = 24;  // of the section table
constexpr std::size_t kTable = 24;

// Where the table says something about section `index`.
std::size_t tag_at(std::size_t index) {
  return kTable + index * kEntry;
}
std::size_t crc_at(std::size_t index) {
  return tag_at(index) + 4;
}
std::size_t offset_at(std::size_t index) {
  return tag_at(index) + 8;
}
std::size_t length_at(std::size_t index) {
  return tag_at(index) + 16;
}

Bytes changed(std::size_t offset, char value) {
  Bytes bytes = LtzParts().file();
  bytes.at(offset) = static_cast<std::byte>(value);
  return bytes;
}

Malformed without(const std::string& tag) {
  return {"without " + tag,
          ltz_with([&](LtzParts& p) {
            std::erase_if(p.sections, [&](auto& s) { return s.tag == tag; });
          }),
          {"section table: section " + tag + " is missing"}};
}

Malformed damaged(std::size_t index, const std::string& tag) {
  return {"checksum of " + tag,
          ltz_with_header(crc_at(index), "\1\2\3\4"),
          {"section " + tag + ": damaged: expected CRC-32C 04030201"}};
}

}  // namespace

TEST_CASE("malformed ltz: a good one is read") {
  CHECK(refusal(LtzParts().file(), read_ltz_file).message == "accepted");
  CHECK(refusal(ltz_with_tensors([](LtzParts&) {}), read_ltz_file).message == "accepted");
}

TEST_CASE("malformed ltz: header") {
  Bytes longer = LtzParts().file();
  longer.resize(longer.size() + 5);
  Bytes shorter = LtzParts().file();
  shorter.resize(shorter.size() - 5);
  check_refused(
      {
          {"empty", {}, {"header: truncated: expected 8 more bytes, found 0"}},
          {"only the magic bytes",
           to_bytes("\x8cLTZ\r\n\x1a\n"),
           {"header: truncated: expected 2 more bytes"}},
          {"bad magic bytes", changed(1, 'l'), {"header: expected the magic bytes"}},
          {"line ends changed", changed(4, '\n'), {"header: ", "transferred as text"}},
          {"version of the future", changed(8, 2), {"newer ltz: expected version 1, found 2"}},
          {"version 0", changed(8, 0), {"header: version 0 does not exist"}},
          {"longer than it says", longer, {"header: 5 trailing bytes behind the file's end"}},
          {"shorter than it says", shorter, {"header: truncated file: expected"}},
          {"2^64 - 1 bytes long",
           ltz_with_header(16, std::string(8, '\xff')),
           {"truncated file: expected 18446744073709551615 bytes"}},
          {"65 sections", changed(12, 65), {"header: expected at most 64 sections, found 65"}},
          {"2^32 - 1 sections",
           ltz_with_header(12, std::string(4, '\xff')),
           {"expected at most 64 sections, found 4294967295"}},
          {"table is not what was written", changed(30, 9), {"header: damaged: expected CRC-32C"}},
      },
      read_ltz_file);
}

TEST_CASE("malformed ltz: section table") {
  check_refused(
      {
          {"a section that a reader must know",
           ltz_with([](LtzParts& p) {
             p.sections.push_back({"LORA", {}});
           }),
           {"unknown section \"LORA\" that a reader must know"}},
          {"a tag that is no text",
           ltz_with_header(tag_at(2), "\0\x1b[2"s),
           {"unknown section \"??[2\""}},
          {"out of order",
           ltz_with([](LtzParts& p) { std::swap(p.sections[4], p.sections[5]); }),
           {"section INDX is there twice or out of order"}},
          {"twice",
           ltz_with([](LtzParts& p) { p.sections.insert(p.sections.begin(), p.sections[0]); }),
           {"section CONF is there twice"}},
          without("CONF"),
          without("VSRC"),
          without("INDX"),
          without("EMBD"),
          without("DATA"),
          {"overlapping",
           ltz_with_header(offset_at(3), unsigned_bytes(200, 8)),
           {"section table: BPEM: expected offset ", "found 200"}},
          {"offset beyond the file",
           ltz_with_header(offset_at(6), std::string(8, '\xff')),
           {"section table: DATA: expected offset "}},
          {"length beyond the file",
           ltz_with_header(length_at(5), unsigned_bytes(1ULL << 62, 8)),
           {"section table: EMBD: 4611686018427387904 bytes reach beyond the file"}},
          {"length that wraps around",
           ltz_with_header(length_at(0), std::string(8, '\xff')),
           {"section table: CONF: 18446744073709551615 bytes"}},
          {"gap at the end",
           ltz_with_header(length_at(6), unsigned_bytes(1, 8)),
           {"section table: the sections end at byte "}},
          damaged(0, "CONF"),
          damaged(1, "VSRC"),
          damaged(3, "BPEM"),
          damaged(4, "INDX"),
          damaged(5, "EMBD"),
          damaged(6, "DATA"),
      },
      read_ltz_file);
}

TEST_CASE("malformed ltz: packed blocks") {
  const auto file = [](const std::string& name, const std::string& tag, const Bytes& content,
                       const std::string& cause) {
    return Malformed{name,
                     ltz_with([&](LtzParts& p) { p.section(tag) = content; }),
                     {"section " + tag + ": " + cause}};
  };
  // "abc" as zlib deflates it.
  const Bytes deflated = to_bytes("\x78\x9c\x4b\x4c\x4a\x06\0\x02\x4d\x01\x27"s);
  // As text, 4 MiB of zeros take about 1.5 KiB.
  const Bytes bomb = text_encode(Bytes(kMaxTextSize, std::byte{0}));
  const Bytes noise(70'000, std::byte{'x'});
  check_refused(
      {
          file("empty", "CONF", {}, "packed block: truncated"),
          file("unknown method", "VSRC", packed(3, 4, Bytes(4)), "packed block: unknown method 3"),
          file("stored, but not as long", "BPEM", packed(0, 5, Bytes(4)),
               "packed block: expected 5 stored bytes, found 4"),
          file("deflated", "INDX", packed(1, 3, deflated),
               "packed block: method 1 (deflate) is no longer read"),
          file("deflated, without a stream", "INDX", packed(1, 0, {}),
               "packed block: method 1 (deflate) is no longer read"),
          file("4 GiB", "VTGT", packed(2, 0xffffffff, noise),
               "packed block: expected at most 67108864 bytes"),
          file("more than text may be", "VSRC", packed(2, kMaxTextSize + 1, noise),
               "text stream: expected at most 4194304 bytes"),
          file("4 MiB of zeros, as it says", "VSRC", packed(2, kMaxTextSize, bomb),
               "packed block: " + std::to_string(bomb.size()) + " bytes cannot decode to 4194304"),
          file("4 MiB of zeros, which says 100", "VSRC", packed(2, 100, bomb), "text stream: "),
          file("text of another length", "VSRC", packed(2, 99, text_encode(Bytes(500))),
               "text stream: "),
      },
      read_ltz_file);
}

TEST_CASE("malformed ltz: what expands more than 64-fold is stored, so that no block has to") {
  const Bytes monotonous(100'000, std::byte{7});
  const Bytes block = pack_block(monotonous);
  CHECK(block.size() == 1 + 4 + monotonous.size());
  CHECK(unpack_block(block) == monotonous);
}
