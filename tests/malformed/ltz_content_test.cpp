// .ltz files whose sections are all there, but say what they must not. LTZ.md has the layout.

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>

#include "formats/bytes/bytes.h"
#include "formats/entropy/context_coder.h"
#include "formats/entropy/float_coder.h"
#include "formats/entropy/rans.h"
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

void read_whole(std::span<const std::byte> bytes, const std::string& name) {
  decode_ltz(bytes, name);
}

Bytes with_text(const std::string& tag, const std::string& text) {
  return ltz_with([&](LtzParts& p) { p.set_text(tag, text); });
}

// Stored: the tables of the text decoder would hide what the configuration takes.
Bytes with_config(const std::function<void(nlohmann::json&)>& change) {
  return ltz_with([&](LtzParts& p) {
    nlohmann::json config = nlohmann::json::parse(p.text("CONF"));
    change(config);
    const std::string text = config.dump();
    p.section("CONF") = packed(0, static_cast<std::uint32_t>(text.size()), to_bytes(text));
  });
}

// In place of the index: what decode_index() gets to see.
Bytes with_index(const std::string& index) {
  return with_text("INDX", index);
}

// One line of an index: name, encoding, shape, length of the payload.
std::string index_line(const std::string& name, int encoding, const std::string& shape,
                       const std::string& length) {
  return static_cast<char>(name.size()) + name + static_cast<char>(encoding) + shape + length;
}

// (13, 8), in EMBD.
const std::string kTable = "decoder.embed_tokens.weight";

// What a tensor of this kind holds, whichever way it is coded.
PayloadKind uncoded(PayloadKind kind) {
  switch (kind) {
    case PayloadKind::kContext32:
      return PayloadKind::kCodebook32;
    case PayloadKind::kContext16:
      return PayloadKind::kCodebook16;
    case PayloadKind::kCodedFloat16:
      return PayloadKind::kFloat16;
    case PayloadKind::kScaledContext32:
      return PayloadKind::kScaledCodebook32;
    case PayloadKind::kScaledContext16:
      return PayloadKind::kScaledCodebook16;
    default:
      return kind;
  }
}

std::string first_of(const LtzParts& parts, PayloadKind kind) {
  for (const auto& tensor : parts.tensors) {
    if (uncoded(tensor.entry.kind) == uncoded(kind) && element_count(tensor.entry.shape) > 4) {
      return tensor.entry.name;
    }
  }
  return "";
}

// A file in which the first tensor that can be of this kind is, with these bytes, and its name.
Malformed payload(const std::string& name, PayloadKind kind,
                  const std::function<void(Bytes&)>& change, const std::string& cause) {
  const std::string tensor = first_of(LtzParts(), kind);
  return {name,
          ltz_with_tensors([&](LtzParts& p) {
            auto& [entry, bytes] = p.tensor(tensor);
            bytes = encode_payload(decode_payload(bytes, entry.shape, entry.kind), kind);
            entry.kind = kind;
            change(bytes);
          }),
          {"tensor " + tensor + ": ", cause}};
}

using Bits = std::vector<std::uint16_t>;

std::size_t count_of_floats() {
  LtzParts parts;
  const std::string name = first_of(parts, PayloadKind::kFloat16);
  return static_cast<std::size_t>(element_count(parts.tensor(name).entry.shape));
}

std::size_t rows_of_scaled() {
  LtzParts parts;
  const std::string name = first_of(parts, PayloadKind::kScaledCodebook16);
  return static_cast<std::size_t>(row_count(parts.tensor(name).entry.shape));
}

std::string repeated(const std::string& text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) {
    out += text;
  }
  return out;
}

constexpr auto kHalf = PayloadKind::kCodebook16;
constexpr auto kFull = PayloadKind::kCodebook32;

}  // namespace

TEST_CASE("malformed ltz: configuration") {
  check_refused(
      {
          {"not JSON", with_text("CONF", "layers: 6"), {"section CONF: configuration: "}},
          {"not UTF-8",
           with_text("CONF", "{\"arch\": \"\xff\"}"),
           {"section CONF: configuration: "}},
          {"cut off", with_text("CONF", "{\"arch\":"), {"section CONF: configuration: "}},
          {"a list", with_text("CONF", "[]"), {"configuration: the whole: expected an object"}},
          {"a key is missing",
           with_config([](auto& c) { c.erase("weight_softmax"); }),
           {"section CONF: configuration: weight_softmax is missing"}},
          {"nested without end", with_text("CONF", std::string(60'000, '[')), {"nested"}},
          {"nested objects", with_text("CONF", repeated("{\"a\":", 12'000)), {"nested"}},
          {"2 MB long",
           with_text("CONF", "[" + repeated("0,", 1'000'000) + "0]"),
           {"section CONF: "}},
          {"no layers",
           with_config([](auto& c) { c["encoder"]["layers"] = 0; }),
           {"encoder_layers"}},
          {"1000 layers of 64 branches",
           with_config([](auto& c) {
             auto& stack = c["decoder"];
             stack["layers"] = 1000;
             stack["embed_dim"] = 512;
             stack["branches"] = nlohmann::json(
                 64, {{"type", "attention"}, {"kernel_size", 0}, {"channels", 8}, {"heads", 1}});
           }),
           {"expected the tensors of 1 + 1000 layers, found 54 tensors"}},
          {"branches wider than the model",
           with_config([](auto& c) { c["encoder"]["branches"][0]["channels"] = 8; }),
           {"encoder_branch_type has 12 channels, expected 8"}},
      },
      read_whole);
}

TEST_CASE("malformed ltz: vocabularies and merges") {
  const std::string source = LtzParts().text("VSRC");
  check_refused(
      {
          {"a word twice",
           with_text("VSRC", repeated("a\n", 12)),
           {"section VSRC: the vocabulary has a word twice: \"a\""}},
          {"a special token",
           with_text("VTGT", "<pad>\n" + LtzParts().text("VTGT").substr(8)),
           {"section VTGT: "}},
          {"an empty word", with_text("VSRC", "\n" + source), {"section VSRC: "}},
          {"white space in a word", with_text("VSRC", "a\tb\n" + source), {"section VSRC: "}},
          {"no end of the last line",
           with_text("VTGT", LtzParts().text("VTGT") + "abc"),
           {"section VTGT: the last line has no end"}},
          {"one word too many",
           with_text("VSRC", source + "more\n"),
           {"section VSRC: expected 16 entries (rows of the embedding), found 17"}},
          {"no words",
           with_text("VSRC", ""),
           {"section VSRC: expected 16 entries (rows of the embedding), found 4"}},
          {"a million empty words", with_text("VSRC", std::string(1'000'000, '\n')), {"VSRC"}},
          {"a million times the same word",
           with_text("VTGT", repeated("a\n", 1'000'000)),
           {"VTGT"}},
          {"merge of one symbol",
           with_text("BPEM", "ab\n"),
           {"section BPEM: merges: expected \"left right\", found \"ab\""}},
          {"merge of three symbols", with_text("BPEM", "a b c\n"), {"section BPEM: merges: "}},
      },
      read_whole);
}

TEST_CASE("malformed ltz: index") {
  const std::string three = "section INDX: tensor index: ";
  const std::string shape = "\x02\x02\x04";
  const std::string huge = "\xff\xff\xff\xff\xff\xff\xff\xff\x7f";  // 2^63 - 1
  check_refused(
      {
          {"empty", with_index(""), {three + "truncated"}},
          {"2^63 tensors", with_index(huge), {three + "truncated"}},
          {"number is too long",
           with_index("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"),
           {three + "malformed variable-length integer"}},
          {"name of 2^63 bytes", with_index("\1" + huge), {three + "truncated"}},
          {"unknown encoding",
           with_index("\1" + index_line("w", 13, shape, "\x08")),
           {three + "tensor w: unknown encoding 13"}},
          {"nine dimensions",
           with_index("\1" + index_line("w", 0, "\x09" + std::string(9, '\1'), "\4")),
           {three + "tensor w: expected at most 8 dimensions, found 9"}},
          {"2^64 - 1 dimensions",
           with_index("\1" + index_line("w", 0, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\1", "\4")),
           {"expected at most 8 dimensions, found 18446744073709551615"}},
          {"twice",
           with_index("\2" + index_line("w", 0, shape, "\x20") + index_line("w", 0, shape, "\x20")),
           {three + "tensor w is there twice"}},
          {"out of order",
           with_index("\2" + index_line("w", 0, shape, "\x20") + index_line("v", 0, shape, "\x20")),
           {three + "tensor v is out of order"}},
          {"more than there are",
           with_index("\2" + index_line("w", 0, shape, "\x20")),
           {three + "truncated"}},
          {"trailing bytes",
           with_index("\1" + index_line("w", 0, shape, "\x20") + "abc"),
           {three + "3 unexpected trailing bytes"}},
          {"elements wrap around",
           with_index("\1" + index_line("w", 3, "\2" + huge + huge, "\4")),
           {"section INDX: ", "too many elements"}},
          {"too many elements",
           with_index("\1" + index_line("w", 3, "\2\x80\x80\x80\x40\x04", "\4")),
           {"section INDX: tensor w (134217728, 4): more elements in all than the "}},
          {"payload of 2^63 bytes",
           ltz_with([&](LtzParts& p) {
             const std::string name = p.tensors[0].entry.name;
             p.set_text("INDX", "\1" + index_line(name, 0x83, shape, huge));
           }),
           {"tensor ", "truncated: expected 9223372036854775807 more bytes"}},
          {"payloads leave bytes",
           ltz_with([](LtzParts& p) { p.section("DATA").push_back(std::byte{0}); }),
           {"section DATA: 1 unexpected trailing bytes"}},
          {"payloads lack bytes",
           ltz_with([](LtzParts& p) { p.section("DATA").pop_back(); }),
           {"section DATA: truncated"}},
          {"tensor is missing",
           ltz_with_tensors([](LtzParts& p) { p.tensors.erase(p.tensors.begin() + 3); }),
           {"tensor ", "is missing"}},
          {"a tensor that no model has",
           ltz_with_tensors([](LtzParts& p) {
             p.tensors.push_back({{"zz", {1}, PayloadKind::kFloat32, false, 4}, Bytes(4)});
           }),
           {"tensor zz (1) does not belong to a model of this configuration"}},
          {"another shape",
           ltz_with_tensors([](LtzParts& p) {
             p.tensor(kTable).entry.shape = {8, 13};
           }),
           {"tensor " + kTable + ": expected shape (13, 8), found (8, 13)"}},
          {"table in DATA",
           ltz_with_tensors([](LtzParts& p) { p.tensor(kTable).entry.table = false; }),
           {"tensor " + kTable + ": expected in section EMBD, found in DATA"}},
          // All codes equal: five bytes for 2^26 elements, which no check of bytes can bound.
          {"2^26 elements in five bytes",
           ltz_with_tensors([](LtzParts& p) {
             auto& tensor = p.tensor(kTable);
             tensor.entry.shape = {1 << 26};
             tensor.bytes = to_bytes("\1\0\x80\0\0"s);
           }),
           {"tensor " + kTable + ": expected shape (13, 8), found (67108864)"}},
      },
      read_whole);
}

TEST_CASE("malformed ltz: codebooks") {
  const auto set = [](const std::string& text) {
    return [text](Bytes& bytes) { bytes = to_bytes(text); };
  };
  check_refused(
      {
          payload("no centroids", kHalf, set("\0"s), "expected 1 to 256 centroids"),
          payload("257 centroids", kHalf, set("\x81\x02"), "found 257"),
          payload("2^64 - 1 centroids", kFull, set("\xff\xff\xff\xff\xff\xff\xff\xff\xff\1"),
                  "found 18446744073709551615"),
          payload("fewer centroids than it says", kFull, set("\x10\0\0\x80\x3f"s), "truncated"),
          payload("equal centroids", kHalf, set("\2\0\x80\0"s), "centroid 1 is not above"),
          payload("descending centroids", kFull, set("\2\0\0\x80\x3f\0\0\0\x3f"s),
                  "centroid 1 is not above"),
          payload("a centroid that is no number", kFull, set("\1\0\0\xc0\x7f"s),
                  "centroid 0 is not finite"),
          payload("an infinite centroid", kHalf, set("\1\0\xfc"s), "centroid 0 is not finite"),
          payload("centroid beyond float16", kHalf, set("\2\0\x80\xff\xff\3"s),
                  "centroid 1 is beyond the range of float16"),
      },
      read_whole);
}

TEST_CASE("malformed ltz: streams of codes") {
  // Behind two centroids, 0 and the number after it.
  const auto stream = [](const std::string& bytes) {
    return [bytes](Bytes& out) { out = to_bytes("\2\0\x80\1"s + bytes); };
  };
  // Precision 1, the rest is symbol 0, symbol 1 of width 14: one half of all.
  const std::string table = "\1\0\x78"s;
  const auto states = [](std::uint64_t value) { return repeated(unsigned_bytes(value, 8), 4); };
  check_refused(
      {
          payload("no table", kHalf, stream(""), "rANS stream: truncated"),
          payload("precision of 16 bits", kHalf, stream("\x10\0"s),
                  "expected a precision of at mo"),
          payload("rest symbol without a centroid", kHalf, stream("\0\2"s),
                  "symbol 2 is not in an alphabet of 2"),
          payload("width that is none", kHalf, stream("\1\0\0\0"s), "malformed width"),
          payload("table adds up to nothing", kHalf, stream("\1\0\x68"s), "add up to 0"),
          payload("states are cut off", kHalf, stream(table + std::string(31, '\1')), "truncated"),
          payload("state below its range", kHalf, stream(table + states(1)),
                  "initial state 1 is out of range"),
          payload("state above its range", kHalf, stream(table + states(1ULL << 63)),
                  "initial state 9223372036854775808 is out of range"),
          payload("words are cut off", kHalf, stream(table + states(1ULL << 31)), "truncated at"),
          payload("final states are others", kHalf, stream(table + states((1ULL << 62) + 12345)),
                  "rANS stream: "),
          payload(
              "trailing word", kHalf,
              [](Bytes& bytes) { bytes.insert(bytes.end(), 4, std::byte{1}); }, "rANS stream: "),
          payload(
              "trailing byte", kHalf, [](Bytes& bytes) { bytes.push_back(std::byte{0}); },
              "1 unexpected trailing bytes"),
          payload(
              "last word is another", kHalf, [](Bytes& bytes) { bytes.back() ^= std::byte{0x80}; },
              "rANS stream: "),
      },
      read_whole);
}

TEST_CASE("malformed ltz: streams with contexts") {
  const auto stream = [](const std::string& bytes) {
    return [bytes](Bytes& out) { out = to_bytes("\2\0\x80\1"s + bytes); };
  };
  const auto change = [](const std::function<void(Bytes&)>& edit) { return edit; };
  const auto kind = PayloadKind::kContext16;
  check_refused(
      {
          payload("nothing", kind, stream(""), "context stream: truncated"),
          payload("less than a word", kind, stream("abc"), "context stream: "),
          payload("257 centroids", kind, change([](Bytes& b) { b = to_bytes("\x81\x02"s); }),
                  "found 257"),
          payload("a word is missing", kind, change([](Bytes& b) { b.resize(b.size() - 4); }),
                  "context stream: "),
          payload("a word too many", kind, change([](Bytes& b) { b.resize(b.size() + 4); }),
                  "context stream: "),
          payload("a byte too many", kind, change([](Bytes& b) { b.resize(b.size() + 1); }),
                  "context stream: 1 unexpected trailing bytes"),
          payload("coded floats: nothing", PayloadKind::kCodedFloat16,
                  change([](Bytes& b) { b.clear(); }), "float stream: truncated"),
          payload("coded floats: infinite", PayloadKind::kCodedFloat16,
                  change([](Bytes& b) { b = float_encode(Bits(count_of_floats(), 0x7C00)); }),
                  "expected finite values, found inf at element 0"),
          payload("coded floats: another number of them", PayloadKind::kCodedFloat16,
                  change([](Bytes& b) { b = float_encode(Bits(count_of_floats() + 40, 0x3C01)); }),
                  "float stream: "),
      },
      read_whole);
}

TEST_CASE("malformed ltz: row scales") {
  const auto kind = PayloadKind::kScaledCodebook16;
  const std::size_t rows = rows_of_scaled();
  REQUIRE(rows > 2);
  // Behind one centroid, 0.
  const auto only = [](const std::string& bytes) {
    return [bytes](Bytes& out) { out = to_bytes("\1\0\x80"s + bytes); };
  };
  // The same, and codes that are all equal behind it.
  const auto scales = [&](const std::string& bytes) { return only(bytes + "\0\0"s); };
  // A stream of `count` scales, numbers `least` to 2 of an alphabet, with its length.
  const auto stream = [](std::size_t count, int alphabet, int least) {
    std::vector<std::uint8_t> codes(count);
    for (std::size_t i = 0; i < count; ++i) {
      codes[i] = static_cast<std::uint8_t>(i % 2 == 0 ? 2 : least);
    }
    const Bytes bytes =
        context_encode(codes, {.columns = 1, .alphabet = alphabet, .zero = alphabet - 1});
    return static_cast<char>(bytes.size()) +
           std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  };
  const std::string huge = "\xff\xff\xff\xff\xff\xff\xff\xff\x7f";  // 2^63 - 1
  // From "d" (100) to "f" (102).
  check_refused(
      {
          payload("nothing", kind, only(""), "payload: truncated"),
          payload("no largest", kind, only("d"), "payload: truncated"),
          payload("no length", kind, only("dd"), "payload: truncated"),
          payload("no codes behind them", kind, only("df" + stream(rows, 3, 0)),
                  "rANS stream: truncated"),
          payload("smallest above largest", kind, scales("ed\0"s),
                  "payload: row scales: the smallest, 101, is above the largest, 100"),
          payload("2^63 - 1 bytes", kind, scales("df" + huge),
                  "payload: truncated: expected 9223372036854775807 more bytes"),
          payload("length is too long", kind, scales("dd\x80\0"s),
                  "malformed variable-length integer"),
          payload("bytes for scales that are all equal", kind, scales("dd\1\0"s),
                  "row scales: context stream: 1 unexpected trailing bytes"),
          payload("no bytes for scales that differ", kind, scales("df\0"s),
                  "row scales: context stream: truncated"),
          payload("half a word", kind, scales("df\2\0\0"s), "row scales: context stream: "),
          payload("words too many", kind, scales("df\x0c" + std::string(12, 'U')),
                  "row scales: context stream: "),
          payload("of more rows", kind, scales("df" + stream(rows + 100, 3, 0)),
                  "row scales: context stream: "),
          payload("without the smallest", kind, scales("df" + stream(rows, 3, 1)),
                  "payload: row scales: expected 100 to 102, found 101 to 102"),
          payload("without the largest", kind, scales("dg" + stream(rows, 4, 0)),
                  "payload: row scales: expected 100 to 103, found 100 to 102"),
          payload(
              "infinite elements", PayloadKind::kScaledCodebook32,
              [](Bytes& out) { out = to_bytes("\1\0\0\0\x7f\x90\x90\0\0\0"s); },
              "expected finite values, found inf at centroid 0 times the largest row scale"),
      },
      read_whole);
}

TEST_CASE("malformed ltz: floats") {
  const auto set_first = [](const std::string& text) {
    return [text](Bytes& bytes) { std::ranges::copy(to_bytes(text), bytes.begin()); };
  };
  check_refused(
      {
          payload(
              "one byte short", PayloadKind::kFloat32, [](Bytes& b) { b.pop_back(); },
              "elements of 4 bytes"),
          payload(
              "one element short", PayloadKind::kFloat16,
              [](Bytes& b) { b.erase(b.end() - 2, b.end()); }, "elements of 2 bytes"),
          payload(
              "one element more", PayloadKind::kFloat32,
              [](Bytes& b) { b.insert(b.end(), 4, std::byte{0}); }, "elements of 4 bytes"),
          payload("not a number", PayloadKind::kFloat32, set_first("\0\0\xc0\x7f"s),
                  "expected finite values, found nan at element 0"),
          payload("infinite", PayloadKind::kFloat16, set_first("\0\xfc"s),
                  "expected finite values, found -inf at element 0"),
      },
      read_whole);
}
