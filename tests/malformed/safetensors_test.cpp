// .safetensors files that ltz could have written, but for one thing. SAFETENSORS.md has the layout;
// tests/unit/safetensors_test.cpp tries every rule of the header on its own.

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>

#include "formats/bytes/bytes.h"
#include "formats/safetensors/checkpoint.h"
#include "malformed.h"
#include "tests/support/pickle_builder.h"
#include "tests/support/tiny_checkpoint.h"

using namespace ltz;
using namespace ltz::formats;
using namespace ltz::test;
using namespace std::string_literals;
using nlohmann::json;

namespace {

void read_whole(std::span<const std::byte> bytes, const std::string& name) {
  read_safetensors(bytes, name, {});
}

// (13, 8)
constexpr const char* kTable = "decoder.embed_tokens.weight";

struct Parts {
  json header;
  Bytes data;
};

Parts good_parts() {
  const Bytes bytes = encode_safetensors(tiny_checkpoint(1));
  ByteReader reader(bytes, "good file");
  const std::string header = reader.text(reader.integer<std::uint64_t>());
  const auto data = reader.take(reader.remaining());
  return {json::parse(header), {data.begin(), data.end()}};
}

Bytes file_of(const std::string& header, const Bytes& data) {
  Bytes bytes = to_bytes(unsigned_bytes(header.size(), 8) + header);
  put_bytes(bytes, data);
  return bytes;
}

Bytes file_with(const std::function<void(Parts&)>& change) {
  Parts parts = good_parts();
  change(parts);
  return file_of(parts.header.dump(), parts.data);
}

// With another value for a key of the metadata.
Bytes with_metadata(const std::string& key, const std::string& value) {
  return file_with([&](Parts& p) { p.header["__metadata__"][key] = value; });
}

Bytes with_config(const std::function<void(json&)>& change) {
  return file_with([&](Parts& p) {
    json& text = p.header["__metadata__"]["ltz.config"];
    json config = json::parse(text.get<std::string>());
    change(config);
    text = config.dump();
  });
}

// With another value for a field of the table's entry.
Malformed table(const std::string& name, const std::string& field, const json& value,
                const std::string& cause) {
  return {name,
          file_with([&](Parts& p) { p.header[kTable][field] = value; }),
          {"tensor "s + kTable + ": ", cause}};
}

}  // namespace

TEST_CASE("malformed safetensors: a good one is read") {
  CHECK(refusal(file_with([](Parts&) {}), read_whole).message == "accepted");
}

TEST_CASE("malformed safetensors: header") {
  const Bytes good = file_with([](Parts&) {});
  const auto with_length = [&](std::uint64_t length) {
    Bytes bytes = good;
    std::ranges::copy(to_bytes(unsigned_bytes(length, 8)), bytes.begin());
    return bytes;
  };
  const std::string deep = R"({"w":)" + std::string(100'000, '[');
  check_refused(
      {
          {"100 MB long", with_length(100'000'000), {"header: truncated: expected 100000000 more"}},
          {"2^63 bytes long", with_length(std::uint64_t{1} << 63), {"header: expected at most"}},
          {"one byte short", with_length(good_parts().header.dump().size() - 1), {"header: "}},
          {"nested", file_of(deep + "}", {}), {"tensor w: expected an object, found an array"}},
          {"one key twice", file_of(R"({"w":{},"w":{}})", {}), {"tensor w: dtype is missing"}},
      },
      read_whole);
}

TEST_CASE("malformed safetensors: tensors") {
  const std::int64_t huge = std::numeric_limits<std::int64_t>::max();
  check_refused(
      {
          table("elements wrap around", "shape", {std::int64_t{1} << 62, 4}, "too many elements"),
          table("bits wrap around", "shape", {std::int64_t{1} << 60}, "a size overflows"),
          table("2^40 elements", "shape", {1 << 20, 1 << 20},
                "expected 4398046511104 bytes, found 416"),
          table("65 dimensions", "shape", std::vector<int>(65, 1), "expected at most 64 numbers"),
          table("bytes beyond the file", "data_offsets", {huge - 416, huge}, "are not within the"),
          table("bytes backwards", "data_offsets", {416, 0}, "416 to 0 are not within"),
          table("type that no weight has", "dtype", "C64", "shape (13, 8) of C64"),
          {"two tensors at one place",
           file_with([](Parts& p) {
             auto& header = p.header;
             const std::string norm = "decoder.layers.0.final_layer_norm.";
             header[norm + "weight"]["data_offsets"] = header[norm + "bias"]["data_offsets"];
           }),
           {"tensor ", "tensors overlap"}},
          {"bytes of nobody",
           file_with([](Parts& p) { p.data.insert(p.data.end(), 7, std::byte{0}); }),
           {"7 bytes behind the last tensor"}},
          {"data are cut off",
           file_with([](Parts& p) { p.data.erase(p.data.end() - 7, p.data.end()); }),
           {"tensor ", "are not within the"}},
          {"another shape",
           file_with([](Parts& p) {
             p.header[kTable]["shape"] = {8, 13};
           }),
           {"tensor "s + kTable + ": expected shape (13, 8), found (8, 13)"}},
          {"another name",
           file_with([](Parts& p) {
             p.header["decoder.table"] = p.header[kTable];
             p.header.erase(kTable);
           }),
           {"tensor "s + kTable, "is missing"}},
          {"not a number",
           file_with([](Parts& p) {
             const std::size_t begin = p.header[kTable]["data_offsets"][0];
             std::ranges::copy(to_bytes("\0\0\xc0\x7f"s),
                               p.data.begin() + static_cast<std::ptrdiff_t>(begin));
           }),
           {"tensor "s + kTable + ": expected finite values, found nan at element 0"}},
      },
      read_whole);
}

TEST_CASE("malformed safetensors: metadata") {
  check_refused(
      {
          {"version of the future",
           with_metadata("ltz.version", "4"),
           {"expected ltz.version 1, 2 or 3, found 4"}},
          {"no SentencePiece model in version 2",
           with_metadata("ltz.version", "2"),
           {"metadata ltz.sentencepiece"}},
          {"configuration is not JSON", with_metadata("ltz.config", "x"), {"configuration: "}},
          {"nested configuration",
           with_metadata("ltz.config", std::string(60'000, '[')),
           {"configuration: nested more than"}},
          {"long configuration",
           with_metadata("ltz.config", "[" + std::string(100'000, ' ') + "]"),
           {"configuration: expected at most 65536 bytes, found 100002"}},
          {"1000 layers of 64 branches",
           with_config([](json& c) {
             auto& stack = c["decoder"];
             stack["layers"] = 1000;
             stack["embed_dim"] = 512;
             stack["branches"] = json(
                 64, {{"type", "attention"}, {"kernel_size", 0}, {"channels", 8}, {"heads", 1}});
           }),
           {"expected the tensors of 1 + 1000 layers, found 54 tensors"}},
          {"a line end in a word",
           with_metadata("ltz.source_vocabulary", "a\na\na\na\na\na\na\na\na\na\na\na\r\n"),
           {"metadata ltz.source_vocabulary: the vocabulary has a word with a line end"}},
          {"too few words",
           with_metadata("ltz.target_vocabulary", "a\n"),
           {"metadata ltz.target_vocabulary: expected 13 entries", "found 5"}},
      },
      read_whole);
}
