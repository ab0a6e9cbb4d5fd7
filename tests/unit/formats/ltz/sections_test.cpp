#include "formats/ltz/sections.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>
#include <random>
#include <utility>

#include "formats/bytes/bytes.h"
#include "formats/bytes/crc32c.h"
#include "formats/ltz/block.h"
#include "formats/ltz/index.h"
#include "formats/ltz/ltz.h"
#include "model/base/error.h"
#include "tests/support/tiny_checkpoint.h"

namespace ltz::formats {
namespace {

using Catch::Matchers::Contains;
using Bytes = std::vector<std::byte>;

// Hand-made files: the sections of a good one, changed, with CRCs that agree.
std::vector<Section> good_sections() {
  const Bytes bytes = encode_ltz(tiny_checkpoint(1));
  std::vector<Section> sections;
  for (const SectionView& view : read_sections(bytes)) {
    sections.push_back({view.tag, {view.content.begin(), view.content.end()}});
  }
  return sections;
}

std::string reason(const Bytes& bytes) {
  try {
    decode_ltz(bytes, "bad.ltz");
  } catch (const FormatError& error) {
    return error.what();
  }
  return "accepted";
}

std::string reason(const std::function<void(std::vector<Section>&)>& change) {
  auto sections = good_sections();
  change(sections);
  return reason(write_sections(sections));
}

// A good file with other bytes from `offset` on and the header's CRC made to agree.
std::string header_reason(std::size_t offset, std::uint64_t value, std::size_t width) {
  Bytes bytes = write_sections(good_sections());
  for (std::size_t i = 0; i < width; ++i) {
    bytes[offset + i] = static_cast<std::byte>((value >> (8 * i)) & 0xFFU);
  }
  const std::size_t table_end = 24 + 24 * 7;
  Bytes crc;
  put_integer(crc, crc32c(std::span(bytes).first(table_end)));
  std::ranges::copy(crc, bytes.begin() + table_end);
  return reason(bytes);
}

std::string index_reason(const std::function<void(std::vector<IndexEntry>&)>& change) {
  return reason([&](std::vector<Section>& sections) {
    auto entries = decode_index(unpack_block(sections[4].content), 1 << 20);
    change(entries);
    sections[4].content = pack_block(encode_index(entries));
  });
}

}  // namespace

TEST_CASE("ltz: the file of a section list is read back") {
  CHECK(reason([](std::vector<Section>&) {}) == "accepted");
  // Sections that begin with a small letter are for readers that know them.
  CHECK(reason([](std::vector<Section>& s) {
          s.push_back({"note", Bytes(3, std::byte{1})});
        }) == "accepted");
}

TEST_CASE("ltz: each bad header has its own reason") {
  CHECK_THAT(reason(Bytes{}), Contains("truncated"));
  CHECK_THAT(header_reason(0, 'P', 1), Contains("magic bytes of an .ltz file"));
  CHECK_THAT(header_reason(4, '\n', 1), Contains("transferred as text"));
  CHECK_THAT(header_reason(8, 2, 2), Contains("written by a newer ltz"));
  CHECK_THAT(header_reason(8, 0, 2), Contains("version 0"));
  CHECK(header_reason(10, 9, 2) == "accepted");  // minor version
  CHECK_THAT(header_reason(12, 65, 4), Contains("at most 64 sections, found 65"));
  CHECK_THAT(header_reason(16, 1, 8), Contains("trailing bytes"));
  CHECK_THAT(header_reason(16, ~std::uint64_t{0}, 8), Contains("truncated file"));
  CHECK_THAT(header_reason(28, 0, 4), Contains("section CONF: damaged"));
  CHECK_THAT(header_reason(32, 0, 8), Contains("CONF: expected offset"));
  CHECK_THAT(header_reason(40, ~std::uint64_t{0}, 8), Contains("reach beyond the file"));
  CHECK_THAT(header_reason(40, 3, 8), Contains("VSRC: expected offset"));
  CHECK_THAT(header_reason(24 + 6 * 24 + 16, 3, 8), Contains("the file at"));
  Bytes bytes = write_sections(good_sections());
  bytes[200] ^= std::byte{1};
  CHECK_THAT(reason(bytes), Contains("damaged"));
}

TEST_CASE("ltz: each bad list of sections has its own reason") {
  CHECK_THAT(reason([](auto& s) { s.erase(s.begin()); }), Contains("section CONF is missing"));
  CHECK_THAT(reason([](auto& s) { std::swap(s[0], s[1]); }), Contains("out of order"));
  CHECK_THAT(reason([](auto& s) { s.insert(s.begin(), s[0]); }), Contains("there twice"));
  CHECK_THAT(reason([](auto& s) { s.push_back({"LORA", {}}); }), Contains("unknown section"));
}

TEST_CASE("ltz: each bad packed block has its own reason") {
  const auto block = [](int method, std::uint32_t size, Bytes content) {
    Bytes bytes{static_cast<std::byte>(method)};
    put_integer(bytes, size);
    put_bytes(bytes, content);
    return bytes;
  };
  const auto refused = [](const Bytes& bytes, const char* why) {
    CHECK_THROWS_AS(unpack_block(bytes), FormatError);
    CHECK_THROWS_WITH(unpack_block(bytes), Contains(why));
  };
  const Bytes four(4, std::byte{7});
  CHECK(unpack_block(block(0, 4, four)) == four);
  refused({}, "truncated");
  refused(block(0, 5, four), "expected 5 stored bytes");
  refused(block(2, 4, four), "text stream: ");
  refused(block(3, 4, four), "unknown method 3");
  refused(block(1, 4, four), "method 1 (deflate) is no longer read");
  refused(block(2, 6000, four), "4 bytes cannot decode to 6000");
  refused(block(2, 0xFFFFFFFF, four), "at most");
  Bytes text(500);
  for (std::size_t i = 0; i < text.size(); ++i) {
    text[i] = static_cast<std::byte>('a' + i * i % 23);
  }
  Bytes coded = pack_block(text);
  REQUIRE(coded.front() == std::byte{2});
  CHECK(unpack_block(coded) == text);
  coded.push_back(std::byte{0});
  refused(coded, "text stream: ");
  coded.pop_back();
  coded[2] ^= std::byte{1};
  refused(coded, "text stream: ");
}

TEST_CASE("ltz: each bad tensor index has its own reason") {
  using Entries = std::vector<IndexEntry>;
  CHECK(index_reason([](Entries&) {}) == "accepted");
  CHECK_THAT(index_reason([](Entries& e) { e[1].name = e[0].name; }), Contains("is there twice"));
  CHECK_THAT(index_reason([](Entries& e) { std::swap(e[1], e[2]); }), Contains("out of order"));
  CHECK_THAT(index_reason([](Entries& e) { e[0].length += 1U << 20; }), Contains("truncated"));
  CHECK_THAT(index_reason([](Entries& e) { --e.back().length; }), Contains("trailing"));
  CHECK_THAT(index_reason([](Entries& e) { ++e[1].length, --e[2].length; }),
             Contains("payload: expected"));
  CHECK_THAT(index_reason([](Entries& e) {
               e[1].shape = {1 << 30, 1 << 30};
             }),
             Contains("more elements in all"));
  CHECK_THAT(index_reason([](Entries& e) { e[1].shape = {-1}; }), Contains("negative"));
  CHECK_THAT(index_reason([](Entries& e) { e[1].shape = Shape(9, 1); }), Contains("dimensions"));
  CHECK_THAT(index_reason([](Entries& e) { e[1].kind = PayloadKind{kPayloadKinds}; }),
             Contains("unknown encoding 13"));
  CHECK_THAT(reason([](std::vector<Section>& s) {
               auto raw = unpack_block(s[4].content);
               raw.push_back(std::byte{0});
               s[4].content = pack_block(raw);
             }),
             Contains("trailing"));
}

TEST_CASE("ltz: a weight matrix cannot pass for an embedding") {
  CHECK_THAT(reason([](std::vector<Section>& s) {
               auto entries = decode_index(unpack_block(s[4].content), 1 << 20);
               // All payloads go into EMBD, in the order of the index.
               for (IndexEntry& entry : entries) {
                 entry.table = true;
               }
               Bytes all;
               std::size_t embedding = 0;
               std::size_t data = 0;
               const auto original = decode_index(unpack_block(s[4].content), 1 << 20);
               for (const IndexEntry& entry : original) {
                 std::size_t& at = entry.table ? embedding : data;
                 const Bytes& from = s[entry.table ? 5 : 6].content;
                 put_bytes(all, std::span(from).subspan(at, entry.length));
                 at += entry.length;
               }
               s[4].content = pack_block(encode_index(entries));
               s[5].content = all;
               s[6].content.clear();
             }),
             Contains("expected in section DATA, found in EMBD"));
}

TEST_CASE("ltz: the example of LTZ.md") {
  const Tensor tensor{{2, 4}, QuantizedValues{{-0.5f, 0.0f, 0.25f}, {1, 1, 0, 1, 2, 1, 1, 0}}};
  const std::vector<int> expected = {
      0x03, 0xFF, 0x47, 0x81, 0x70, 0x80, 0x68, 0x01, 0x01, 0x78, 0x01, 0x00, 0x30, 0x67, 0x66,
      0x06, 0x00, 0x00, 0x00, 0x00, 0x30, 0xAE, 0x47, 0x01, 0x00, 0x00, 0x00, 0x00, 0x10, 0x33,
      0x33, 0x03, 0x00, 0x00, 0x00, 0x00, 0x40, 0x33, 0x33, 0x03, 0x00, 0x00, 0x00};
  const auto check = [&](PayloadKind kind, const std::vector<int>& bytes) {
    const Bytes payload = encode_payload(tensor, kind);
    REQUIRE(payload.size() == bytes.size());
    for (std::size_t i = 0; i < payload.size(); ++i) {
      CHECK(payload[i] == static_cast<std::byte>(bytes[i]));
    }
    CHECK(decode_payload(payload, tensor.shape, kind) == tensor);
  };
  check(PayloadKind::kCodebook16, expected);
  check(PayloadKind::kContext16,
        {0x03, 0xFF, 0x47, 0x81, 0x70, 0x80, 0x68, 0xC0, 0x23, 0x21, 0x98});
  CHECK(encode_payload(tensor).kind == PayloadKind::kContext16);
}

TEST_CASE("ltz: a slower kind is taken for more than one percent only") {
  std::mt19937 random(1);
  Tensor tensor{{200, 200}, QuantizedValues{{-1.0f, 0.0f, 1.0f, 2.0f}, {}}};
  auto& quantized = std::get<QuantizedValues>(tensor.data);
  for (int i = 0; i < 200 * 200; ++i) {
    quantized.codes.push_back(static_cast<std::uint8_t>(random() % 4));
  }
  CHECK(encode_payload(tensor).kind == PayloadKind::kCodebook16);  // nothing to learn
  quantized.centroids.back() = 4.0f / 3.0f;
  CHECK(encode_payload(tensor).kind == PayloadKind::kCodebook32);
  for (int i = 0; i < 200 * 200; ++i) {
    if (i % 2 != 0) {
      quantized.codes[static_cast<std::size_t>(i)] = 1;  // every other column is zero
    }
  }
  const Payload payload = encode_payload(tensor);
  CHECK(payload.kind == PayloadKind::kContext32);
  CHECK(100 * payload.bytes.size() < 99 * encode_payload(tensor, PayloadKind::kCodebook32).size());
  CHECK(decode_payload(payload.bytes, tensor.shape, payload.kind) == tensor);
}

TEST_CASE("ltz: magnitudes count from the centroid next to zero, rows from the last dimension") {
  const auto round_trip = [](const Shape& shape, std::vector<float> centroids) {
    const auto count = static_cast<std::size_t>(element_count(shape));
    QuantizedValues quantized{std::move(centroids), std::vector<std::uint8_t>(count)};
    for (std::size_t i = 0; i < count; ++i) {
      quantized.codes[i] = static_cast<std::uint8_t>(i * i % quantized.centroids.size());
    }
    const Tensor tensor{shape, quantized};
    for (const PayloadKind kind : {PayloadKind::kContext32, PayloadKind::kContext16}) {
      CHECK(decode_payload(encode_payload(tensor, kind), shape, kind) == tensor);
    }
  };
  round_trip({}, {1.0f});
  round_trip({}, {-1.0f, 1.0f});
  round_trip({7}, {1.0f, 2.0f, 3.0f});
  round_trip({7}, {-3.0f, -2.0f, -1.0f});
  round_trip({3, 1, 5}, {-0.0f, 0.5f});
  round_trip({3, 5}, {-2.0f, -1.0f, 1.0f, 2.0f});
  const Tensor empty{{0, 5}, QuantizedValues{{1.0f}, {}}};
  CHECK(encode_payload(empty).bytes.size() == 1);
}

TEST_CASE("ltz: plain floats in each precision") {
  const auto check = [](Precision precision, PayloadKind kind, const std::vector<int>& expected) {
    const Tensor tensor = dense_tensor({2}, {1.0f, -3.0f}, precision);
    Bytes bytes;
    for (const int value : expected) {
      bytes.push_back(static_cast<std::byte>(value));
    }
    CHECK(encode_payload(tensor).kind == kind);
    CHECK(encode_payload(tensor).bytes == bytes);
    CHECK(decode_payload(bytes, {2}, kind) == tensor);
  };
  check(Precision::kFloat32, PayloadKind::kFloat32, {0, 0, 0x80, 0x3F, 0, 0, 0x40, 0xC0});
  check(Precision::kFloat16, PayloadKind::kFloat16, {0, 0x3C, 0, 0xC2});
  check(Precision::kBFloat16, PayloadKind::kBFloat16, {0x80, 0x3F, 0x40, 0xC0});
}

TEST_CASE("ltz: floats of 16 bits are coded where that is shorter") {
  std::vector<float> values;
  for (int i = 0; i < 500; ++i) {
    values.push_back(1.0f + static_cast<float>(i * i % 128) / 128.0f);
  }
  for (const auto& [precision, kind] :
       {std::pair{Precision::kFloat16, PayloadKind::kCodedFloat16},
        std::pair{Precision::kBFloat16, PayloadKind::kCodedBFloat16}}) {
    const Tensor tensor = dense_tensor({500}, values, precision);
    const Payload payload = encode_payload(tensor);
    CHECK(payload.kind == kind);
    CHECK(payload.bytes.size() < 600);
    CHECK(decode_payload(payload.bytes, {500}, kind) == tensor);
    CHECK_THROWS_AS(decode_payload(payload.bytes, {400}, kind), FormatError);
  }
}

TEST_CASE("ltz: each bad payload has its own reason") {
  const auto refused = [](std::vector<int> values, Shape shape, PayloadKind kind, const char* why) {
    Bytes bytes;
    for (const int value : values) {
      bytes.push_back(static_cast<std::byte>(value));
    }
    CHECK_THROWS_AS(decode_payload(bytes, shape, kind), FormatError);
    CHECK_THROWS_WITH(decode_payload(bytes, shape, kind), Contains(why));
  };
  const auto kHalf = PayloadKind::kCodebook16;
  const auto kFull = PayloadKind::kCodebook32;
  refused({0, 0, 0}, {1}, PayloadKind::kFloat32, "found 3 bytes");
  refused({0, 0, 0, 0}, {1}, PayloadKind::kFloat16, "found 4 bytes");
  refused({0, 0, 0, 0}, {1}, PayloadKind::kBFloat16, "expected 1 elements of 2 bytes");
  refused({0}, {1}, kHalf, "expected 1 to 256 centroids");
  refused({1}, {0}, kHalf, "expected 1 to 256 centroids");
  refused({0x81, 0x02}, {1}, kHalf, "found 257");
  refused({0x81, 0x00}, {1}, kHalf, "variable-length");
  refused({0}, {1}, PayloadKind::kContext16, "expected 1 to 256 centroids");
  refused({2, 0, 0x80, 1}, {8}, PayloadKind::kContext16, "context stream: truncated");
  refused({}, {8}, PayloadKind::kCodedFloat16, "float stream: truncated");
  refused({2, 0, 0x80, 0}, {1}, kHalf, "centroid 1 is not above");
  refused({2, 0, 0x80, 0xFF, 0xFF, 0x03}, {1}, kHalf, "beyond the range of float16");
  refused({1, 0xFF, 0xFF}, {1}, kHalf, "not finite");
  refused({2, 0xFF, 0x7F, 1}, {1}, kHalf, "centroid 1 is not above");  // -0 and 0
  refused({1, 0, 0, 0xC0, 0x7F}, {1}, kFull, "not finite");
  refused({2, 0, 0, 0x80, 0x3F, 0, 0, 0, 0}, {1}, kFull, "centroid 1 is not above");
  refused({1, 0, 0x80}, {1}, kHalf, "rANS stream: truncated");
  refused({1, 0, 0x80, 0, 1}, {1}, kHalf, "not in an alphabet of 1");
  refused({1, 0, 0x80, 0, 0, 0}, {1}, kHalf, "trailing");
}

}  // namespace ltz::formats
