#include "formats/ltz/inflate.h"

#include <zlib.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <utility>

#include "model/base/error.h"

namespace ltz::formats {
namespace {

using Bytes = std::vector<std::byte>;

Bytes deflated(const Bytes& raw, int level, int strategy) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, level, Z_DEFLATED, MAX_WBITS, 8, strategy) == Z_OK);
  Bytes out(deflateBound(&stream, raw.size()));
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(raw.data()));
  stream.avail_in = static_cast<uInt>(raw.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

constexpr std::size_t kRoom = 100'000;

// What zlib makes of a stream without header and checksum, if it takes it.
std::optional<Inflated> by_zlib(const Bytes& body) {
  Inflated result;
  result.bytes.resize(kRoom);
  z_stream stream{};
  REQUIRE(inflateInit2(&stream, -MAX_WBITS) == Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(body.data()));
  stream.avail_in = static_cast<uInt>(body.size());
  stream.next_out = reinterpret_cast<Bytef*>(result.bytes.data());
  stream.avail_out = static_cast<uInt>(kRoom);
  const int status = ::inflate(&stream, Z_FINISH);
  result.bytes.resize(stream.total_out);
  result.consumed = stream.total_in;
  inflateEnd(&stream);
  return status == Z_STREAM_END ? std::optional(result) : std::nullopt;
}

// Gives both decoders a body, with the header and the checksum that belong to what zlib finds.
// Returns whether they took it, after checking that they agree.
bool both_take(const Bytes& body) {
  const std::optional<Inflated> expected = by_zlib(body);
  Bytes stream = {std::byte{0x78}, std::byte{0x9c}};
  stream.insert(stream.end(), body.begin(), body.end());
  if (!expected) {
    CHECK_THROWS_AS(inflate(stream, kRoom), FormatError);
    return false;
  }
  stream.resize(2 + expected->consumed);
  const auto* bytes = reinterpret_cast<const Bytef*>(expected->bytes.data());
  const uLong checksum = adler32(1, bytes, static_cast<uInt>(expected->bytes.size()));
  for (const int shift : {24, 16, 8, 0}) {
    stream.push_back(static_cast<std::byte>((checksum >> shift) & 0xFF));
  }
  const Inflated found = inflate(stream, kRoom);
  CHECK((found.bytes == expected->bytes && found.consumed == stream.size()));
  stream.back() ^= std::byte{1};
  CHECK_THROWS_AS(inflate(stream, kRoom), FormatError);
  return true;
}

// Texts with short and long matches, near and far, and what has none.
std::vector<Bytes> samples() {
  std::mt19937 random(3);
  std::vector<Bytes> samples = {{}, Bytes(1), Bytes(70'000, std::byte{7})};
  Bytes noise(70'000);
  std::ranges::generate(noise, [&] { return static_cast<std::byte>(random()); });
  // Repeats itself at the greatest distance there is.
  Bytes far(noise.begin(), noise.begin() + 33'000);
  std::copy_n(far.begin(), 232, far.begin() + 32'768);
  Bytes words;
  while (words.size() < 60'000) {
    const std::string word = "w" + std::to_string(random() % (1 + random() % 3000)) + "\n";
    std::ranges::transform(word, std::back_inserter(words),
                           [](char c) { return static_cast<std::byte>(c); });
  }
  samples.insert(samples.end(), {noise, far, words});
  return samples;
}

}  // namespace

TEST_CASE("inflate gives back what zlib deflated, and says where the stream ends") {
  for (const Bytes& raw : samples()) {
    for (const int level : {0, 1, 6, 9}) {
      for (const int strategy : {Z_DEFAULT_STRATEGY, Z_HUFFMAN_ONLY, Z_FIXED}) {
        Bytes stream = deflated(raw, level, strategy);
        const std::size_t size = stream.size();
        stream.resize(size + 3);
        const Inflated inflated = inflate(stream, raw.size());
        CHECK((inflated.bytes == raw && inflated.consumed == size));
      }
    }
  }
}

TEST_CASE("inflate stops where there are more bytes than wanted") {
  const Bytes raw(50'000, std::byte{1});
  for (const int level : {0, 9}) {
    const std::size_t found = inflate(deflated(raw, level, Z_DEFAULT_STRATEGY), 100).bytes.size();
    CHECK(found > 100);
    CHECK(found < 400);  // a match has 258 bytes at most
  }
}

TEST_CASE("inflate takes a damaged stream if and only if zlib does") {
  std::mt19937 random(5);
  int taken = 0;
  int refused = 0;
  const auto check = [&](const Bytes& body) { ++(both_take(body) ? taken : refused); };
  for (const Bytes& raw : samples()) {
    for (const int strategy : {Z_DEFAULT_STRATEGY, Z_FIXED}) {
      const Bytes head(raw.begin(), raw.begin() + std::min<std::ptrdiff_t>(std::ssize(raw), 400));
      const Bytes good = deflated(head, 9, strategy);
      for (int i = 0; i < 300; ++i) {
        Bytes bad(good.begin() + 2, good.end());
        bad[random() % std::min<std::size_t>(bad.size(), 60)] ^= std::byte{1} << (random() % 8);
        bad.resize(bad.size() - (random() % 4 == 0 ? random() % bad.size() : 0));
        check(bad);
      }
    }
  }
  // Noise behind the first bits of a last block with codes of its own.
  for (int i = 0; i < 20'000; ++i) {
    Bytes noise(60);
    std::ranges::generate(noise, [&] { return static_cast<std::byte>(random()); });
    noise[0] = (noise[0] & ~std::byte{7}) | std::byte{5};
    check(noise);
  }
  CHECK(taken > 100);
  CHECK(refused > 100);
}

TEST_CASE("inflate refuses what is no zlib header") {
  const Bytes good = deflated(Bytes(9), 6, Z_DEFAULT_STRATEGY);
  for (const auto& [method, flags] :
       {std::pair{0x79, 0x9b}, {0x88, 0x1c}, {0x78, 0x9d}, {0x78, 0xbb}}) {
    Bytes bad = good;
    bad[0] = static_cast<std::byte>(method);
    bad[1] = static_cast<std::byte>(flags);
    CHECK_THROWS_AS(inflate(bad, 9), FormatError);
  }
}

}  // namespace ltz::formats
