#include "formats/safetensors/safetensors.h"

#include <catch2/catch.hpp>
#include <optional>
#include <string>

#include "formats/safetensors/header.h"
#include "model/base/error.h"
#include "tests/support/pickle_builder.h"

using namespace ltz;
using namespace ltz::formats;
using namespace ltz::test;
using Catch::Matchers::Contains;
using namespace std::string_literals;

namespace {

std::vector<std::byte> file_of(const std::string& header, const std::string& data) {
  return to_bytes(unsigned_bytes(header.size(), 8) + header + data);
}

std::string entry(const std::string& name, const std::string& dtype, const std::string& shape,
                  const std::string& offsets) {
  return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape +
         ",\"data_offsets\":" + offsets + "}";
}

void refuses(const std::vector<std::byte>& bytes, const std::string& reason) {
  CAPTURE(reason);
  REQUIRE_THROWS_AS(parse_safetensors(bytes), FormatError);
  CHECK_THROWS_WITH(parse_safetensors(bytes), Contains(reason));
}

void refuses(const std::string& header, const std::string& data, const std::string& reason) {
  refuses(file_of(header, data), reason);
}

std::string text_of(const SafetensorsView& view) {
  return std::string(reinterpret_cast<const char*>(view.bytes.data()), view.bytes.size());
}

std::optional<SafetensorsFile> try_parse(const std::vector<std::byte>& bytes) {
  try {
    return parse_safetensors(bytes);
  } catch (const FormatError&) {
    return std::nullopt;
  }
}

}  // namespace

TEST_CASE("safetensors: tensors in any order, scalars, empty ones, spaces behind the header") {
  const std::string header = "{" + entry("b", "U8", "[3]", "[4,7]") +
                             ",\"__metadata__\":{\"k\":" + "\"v\\u00e9\",\"\":\"\"}, " +
                             entry("a", "BF16", "[2,1]", "[0,4]") + "," +
                             entry("none", "F64", "[0,5]", "[4,4]") + "," +
                             entry("one", "I8", "[]", "[7,8]") + "}  ";
  const auto bytes = file_of(header, "ABCDEFGH");
  CHECK(is_safetensors(bytes));
  const SafetensorsFile file = parse_safetensors(bytes);
  CHECK(file.metadata == std::map<std::string, std::string>{{"k", "v\u00e9"}, {"", ""}});
  REQUIRE(file.tensors.size() == 4);
  CHECK(text_of(file.tensors.at("a")) == "ABCD");
  CHECK(file.tensors.at("a").dtype == "BF16");
  CHECK(file.tensors.at("a").shape == Shape{2, 1});
  CHECK(text_of(file.tensors.at("b")) == "EFG");
  CHECK(text_of(file.tensors.at("none")).empty());
  CHECK(file.tensors.at("none").shape == Shape{0, 5});
  CHECK(text_of(file.tensors.at("one")) == "H");
  CHECK(file.tensors.at("one").shape.empty());

  CHECK(parse_safetensors(file_of("{}", "")).tensors.empty());
}

TEST_CASE("safetensors: elements narrower than a byte are counted in bits") {
  CHECK(parse_safetensors(file_of("{" + entry("w", "F4", "[2,3]", "[0,3]") + "}", "abc"))
            .tensors.size() == 1);
  CHECK(parse_safetensors(file_of("{" + entry("w", "F6_E3M2", "[4]", "[0,3]") + "}", "abc"))
            .tensors.size() == 1);
  refuses("{" + entry("w", "F4", "[3]", "[0,2]") + "}", "ab", "tensor w: shape (3) of F4");
}

TEST_CASE("safetensors: the length of the header") {
  CHECK_FALSE(is_safetensors({}));
  CHECK_FALSE(is_safetensors(to_bytes("\x8CLTZ\r\n\x1A\n{")));
  refuses({}, "header: truncated: expected 8 more bytes, found 0");
  refuses(to_bytes("\2\0\0\0\0\0\0"s), "expected 8 more bytes, found 7");
  refuses(to_bytes(unsigned_bytes(3, 8) + "{}"), "expected 3 more bytes, found 2");
  refuses(to_bytes(unsigned_bytes(100'000'001, 8) + "{}"), "at most 100000000 bytes");
  refuses(to_bytes(unsigned_bytes(~std::uint64_t{0}, 8) + "{}"), "found 18446744073709551615");
  refuses("", "", "expected \"{\"");
}

TEST_CASE("safetensors: a header that is not one JSON object") {
  const std::string good = entry("w", "U8", "[1]", "[0,1]");
  refuses(" {}", "", "\"{\" as its first byte");
  refuses("[]", "", "\"{\" as its first byte");
  refuses("\xEF\xBB\xBF{}", "", "\"{\" as its first byte");
  refuses("{}\n", "", "nothing but spaces behind it");
  refuses("{}x", "", "nothing but spaces behind it");
  refuses("{}\0"s, "", "nothing but spaces behind it");
  refuses("{}\0}"s, "", "nothing but spaces behind it");
  refuses("{}{}", "", "header: ");
  refuses("{" + good, "a", "header: ");
  refuses("{" + good + ",}", "a", "header: ");
  refuses("{/* no comments */}", "", "header: ");
  refuses("{\"\xFF\":1}", "", "invalid string");
  refuses("{\"\xED\xA0\x80\":1}", "", "invalid string");
  refuses("{\"\\ud800\":1}", "", "header: ");
  refuses("{\"__metadata__\":{\"a\":\"\1\"}}", "", "header: ");
}

TEST_CASE("safetensors: the same key twice") {
  const std::string good = entry("w", "U8", "[1]", "[0,1]");
  refuses("{" + good + "," + good + "}", "a", "the key \"w\" is there twice");
  refuses("{" + good + "," + entry("\\u0077", "U8", "[1]", "[0,1]") + "}", "a", "\"w\" is there");
  refuses(R"({"__metadata__":{},"__metadata__":{}})", "", "\"__metadata__\" is there twice");
  refuses(R"({"__metadata__":{"a":"","a":""}})", "", "metadata: the key \"a\" is there twice");
  for (const char* field : {"\"dtype\":\"U8\"", "\"shape\":[1]", "\"data_offsets\":[0,1]"}) {
    refuses("{" + good.substr(0, good.size() - 1) + "," + field + "}}", "a",
            "tensor w: " + std::string(field + 1, std::string(field + 1).find('"')) +
                " is there twice");
  }
}

TEST_CASE("safetensors: values of the wrong kind") {
  const auto refuses_value = [](const std::string& value, const std::string& reason) {
    refuses("{" + value + "}", "a", reason);
  };
  refuses_value(R"("__metadata__":null)", "metadata: expected an object, found null");
  refuses_value(R"("__metadata__":[])", "metadata: expected an object, found an array");
  refuses_value(R"("__metadata__":{"k":1})", "metadata k: expected a string, found 1");
  refuses_value(R"("__metadata__":{"k":{}})", "metadata k: expected a string, found an object");
  refuses_value(R"("__metadata__":{"k":["v"]})", "metadata k: expected a string, found an array");
  refuses_value(R"("w":1)", "tensor w: expected an object, found 1");
  refuses_value(R"("w":"U8")", "tensor w: expected an object, found a string");
  refuses_value(R"("w":[)" + std::string(100'000, '['), "found an array");
  refuses_value(R"("w":{"dtype":8,"shape":[1],"data_offsets":[0,1]})", "dtype: expected a string");
  refuses_value(R"("w":{"dtype":{},"shape":[1],"data_offsets":[0,1]})", "dtype: expected a string");
  refuses_value(R"("w":{"dtype":["U8"],"shape":[1],"data_offsets":[0,1]})", "found an array");
  refuses_value(entry("w", "U8", "1", "[0,1]"), "tensor w: shape: expected an array, found 1");
  refuses_value(entry("w", "U8", "{}", "[0,1]"), "shape: expected an array, found an object");
  refuses_value(entry("w", "U8", "[1]", "\"0\""), "data_offsets: expected an array");
  for (const char* number : {"-1", "-0", "1.0", "1e0", "true", "null", "\"1\"", "[1]", "{}",
                             "9223372036854775808", "18446744073709551616"}) {
    refuses_value(entry("w", "U8", "[" + std::string(number) + "]", "[0,1]"),
                  "tensor w: shape: expected integers of 0 to 2^63 - 1");
    refuses_value(entry("w", "U8", "[1]", "[0," + std::string(number) + "]"),
                  "tensor w: data_offsets: expected integers of 0 to 2^63 - 1");
  }
  std::string many = "[1";
  for (int i = 0; i < 64; ++i) {
    many += ",1";
  }
  refuses_value(entry("w", "U8", many + "]", "[0,1]"), "shape: expected at most 64 numbers");
}

TEST_CASE("safetensors: a tensor has dtype, shape and data_offsets, and nothing else") {
  refuses(R"({"w":{}})", "", "tensor w: dtype is missing");
  refuses(R"({"w":{"shape":[1],"data_offsets":[0,1]}})", "a", "tensor w: dtype is missing");
  refuses(R"({"w":{"dtype":"U8","data_offsets":[0,1]}})", "a", "tensor w: shape is missing");
  refuses(R"({"w":{"dtype":"U8","shape":[1]}})", "a", "tensor w: data_offsets is missing");
  refuses(R"({"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"strides":[1]}})", "a",
          "found \"strides\"");
}

TEST_CASE("safetensors: shape, type and place have to fit") {
  const auto refuses_entry = [](const std::string& dtype, const std::string& shape,
                                const std::string& offsets, const std::string& reason) {
    refuses("{" + entry("w", dtype, shape, offsets) + "}", "abcd", "tensor w: " + reason);
  };
  CHECK_NOTHROW(parse_safetensors(file_of("{" + entry("w", "F16", "[2]", "[0,4]") + "}", "abcd")));
  refuses_entry("F17", "[2]", "[0,4]", "unknown dtype \"F17\"");
  refuses_entry("f16", "[2]", "[0,4]", "unknown dtype \"f16\"");
  refuses_entry("", "[2]", "[0,4]", "unknown dtype \"\"");
  refuses_entry("F16", "[3]", "[0,4]", "shape (3) of F16: expected 6 bytes, found 4");
  refuses_entry("F32", "[2]", "[0,4]", "shape (2) of F32: expected 8 bytes, found 4");
  refuses_entry("F16", "[2]", "[0,5]", "data_offsets: 0 to 5 are not within the 4 bytes of data");
  refuses_entry("F16", "[2]", "[4,0]", "data_offsets: 4 to 0 are not within");
  refuses_entry("F16", "[2]", "[9223372036854775803,9223372036854775807]", "data_offsets: ");
  refuses_entry("F16", "[2]", "[]", "data_offsets: expected 2 numbers, found 0");
  refuses_entry("F16", "[2]", "[0]", "data_offsets: expected 2 numbers, found 1");
  refuses_entry("F16", "[2]", "[0,4,4]", "data_offsets: expected at most 2 numbers");
  refuses_entry("F16", "[4294967296,4294967296]", "[0,4]", "too many elements");
  refuses_entry("U8", "[9223372036854775807]", "[0,4]", "a size overflows");
  // 2^62 bytes more than wrap around to 4.
  refuses_entry("F32", "[4611686018427387905]", "[0,4]", "a size overflows");
}

TEST_CASE("safetensors: overlaps, holes and bytes that belong to no tensor") {
  const auto two = [](const std::string& a, const std::string& b) {
    return "{" + entry("a", "U8", "[2]", a) + "," + entry("b", "U8", "[2]", b) + "}";
  };
  CHECK_NOTHROW(parse_safetensors(file_of(two("[2,4]", "[0,2]"), "abcd")));
  refuses(two("[0,2]", "[0,2]"), "ab", "tensor b: data_offsets: expected to begin at byte 2");
  refuses(two("[0,2]", "[1,3]"), "abc", "tensors overlap");
  refuses(two("[0,2]", "[3,5]"), "abcde", "a hole");
  refuses(two("[1,3]", "[3,5]"), "abcde", "tensor a: data_offsets: expected to begin at byte 0");
  refuses(two("[0,2]", "[2,4]"), "abcde", "1 bytes behind the last tensor");
  refuses("{}", "a", "1 bytes behind the last tensor");
  refuses("{" + entry("a", "U8", "[4]", "[0,4]") + "," + entry("b", "U8", "[0]", "[2,2]") + "}",
          "abcd", "tensors overlap");
}

TEST_CASE("safetensors: truncated or with a flipped bit, a file is refused or means the same") {
  const std::string header = R"({"__metadata__":{"format":"pt"},)" +
                             entry("w", "F16", "[2,1]", "[0,4]") + "," +
                             entry("v", "U8", "[1]", "[4,5]") + "} ";
  const auto bytes = file_of(header, "abcde");
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    CAPTURE(length);
    CHECK_THROWS_AS(parse_safetensors({bytes.data(), length}), FormatError);
  }
  // A header has no checksum: names, metadata and types of one width can change into others.
  const auto harmless = [&](const SafetensorsFile& file) {
    std::vector<std::string> data;
    for (const auto& [name, view] : file.tensors) {
      data.push_back(text_of(view));
      if (static_cast<std::int64_t>(view.bytes.size()) * 8 !=
          element_count(view.shape) * safetensors_bits(view.dtype).value()) {
        return false;
      }
    }
    std::ranges::sort(data);
    return data == std::vector<std::string>{"abcd", "e"};
  };
  int accepted = 0;
  for (std::size_t bit = 0; bit < 8 * (bytes.size() - 5); ++bit) {
    std::vector<std::byte> damaged = bytes;
    damaged[bit / 8] ^= std::byte{1} << (bit % 8);
    if (const auto file = try_parse(damaged)) {
      ++accepted;
      if (bit / 8 < kSafetensorsLengthBytes || !harmless(*file)) {
        FAIL("bit " << bit << " moves the data");
      }
    }
  }
  CHECK(accepted < static_cast<int>(8 * header.size()) / 4);
}
