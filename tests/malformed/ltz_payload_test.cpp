// .ltz files in which one tensor is not what the index says, or says what it must not. LTZ.md has
// the layout.

#include <catch2/catch.hpp>
#include <string>

#include "formats/entropy/context_coder.h"
#include "formats/entropy/float_coder.h"
#include "formats/ltz/payload.h"
#include "ltz_parts.h"
#include "malformed.h"
#include "tests/support/pickle_builder.h"

using namespace ltz;
using namespace ltz::formats;
using namespace ltz::test;
using namespace std::string_literals;

namespace {

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

constexpr auto kHalf = PayloadKind::kCodebook16;
constexpr auto kFull = PayloadKind::kCodebook32;

}  // namespace

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
      read_ltz_file);
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
      read_ltz_file);
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
      read_ltz_file);
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
      read_ltz_file);
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
      read_ltz_file);
}
