#include "formats/ltz_block.h"

#include <zlib.h>

#include <array>
#include <cstdint>

#include "formats/ltz_bytes.h"
#include "formats/text_coder.h"

namespace ltz::formats {
namespace {

constexpr std::uint8_t kStored = 0;
constexpr std::uint8_t kDeflated = 1;
constexpr std::uint8_t kCoded = 2;

// Vocabularies, merges and indices expand twofold to twentyfold, but deflate can do 1032:1
// (zlib's technical notes). What expands further than this is stored as it is.
constexpr std::size_t kMaxExpansion = 64;

// What a stream turns out to be.
struct InflatedSize {
  int status;
  std::size_t inflated;
  std::size_t consumed;
};

// Inflates without keeping anything, to the stream's end or beyond `limit` bytes.
InflatedSize inflated_size(std::span<const std::byte> content, std::size_t limit) {
  z_stream stream{};
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  int status = inflateInit(&stream);
  std::array<Bytef, 4096> discarded;
  while (status == Z_OK && stream.total_out <= limit) {
    stream.next_out = discarded.data();
    stream.avail_out = static_cast<uInt>(discarded.size());
    status = inflate(&stream, Z_NO_FLUSH);
  }
  const InflatedSize size{status, stream.total_out, stream.total_in};
  inflateEnd(&stream);
  return size;
}

// Nothing when zlib fails.
std::vector<std::byte> deflated(std::span<const std::byte> raw) {
  uLongf size = compressBound(raw.size());
  std::vector<std::byte> out(size);
  const int status =
      compress2(reinterpret_cast<Bytef*>(out.data()), &size,
                reinterpret_cast<const Bytef*>(raw.data()), raw.size(), Z_BEST_COMPRESSION);
  out.resize(status == Z_OK ? size : 0);
  return out;
}

std::vector<std::byte> inflated_block(std::span<const std::byte> content, std::size_t size,
                                      const ByteReader& reader) {
  // What the size promises may be far more than what the stream holds.
  const InflatedSize found = inflated_size(content, size);
  if (found.status != Z_STREAM_END && found.inflated <= size) {
    reader.fail(std::string("does not inflate: ") + zError(found.status));
  }
  if (found.inflated != size || found.consumed != content.size()) {
    reader.fail("expected " + std::to_string(content.size()) + " bytes to inflate to " +
                std::to_string(size) + ", found " + std::to_string(found.consumed) +
                " inflating to " + std::to_string(found.inflated));
  }
  std::vector<std::byte> raw(size);
  uLongf inflated = size;
  const int status = uncompress(reinterpret_cast<Bytef*>(raw.data()), &inflated,
                                reinterpret_cast<const Bytef*>(content.data()), content.size());
  if (status != Z_OK || inflated != size) {
    reader.fail(std::string("does not inflate: ") + zError(status));
  }
  return raw;
}

// Whether a method's answer is worth more than the bytes as they are.
bool pays(std::span<const std::byte> packed, std::span<const std::byte> raw) {
  return packed.size() < raw.size() && raw.size() / kMaxExpansion <= packed.size();
}

}  // namespace

std::vector<std::byte> pack_block(std::span<const std::byte> raw) {
  if (raw.size() > kMaxBlockSize) {
    throw FormatError("packed block: expected at most " + std::to_string(kMaxBlockSize) +
                      " bytes, found " + std::to_string(raw.size()));
  }
  std::uint8_t method = kStored;
  std::vector<std::byte> best(raw.begin(), raw.end());
  const auto consider = [&](std::uint8_t candidate, std::vector<std::byte> packed) {
    if (pays(packed, raw) && packed.size() < best.size()) {
      method = candidate;
      best = std::move(packed);
    }
  };
  consider(kDeflated, deflated(raw));
  if (raw.size() <= kMaxTextSize) {
    consider(kCoded, text_encode(raw));
  }
  std::vector<std::byte> block;
  put_integer(block, method);
  put_integer(block, static_cast<std::uint32_t>(raw.size()));
  put_bytes(block, best);
  return block;
}

std::vector<std::byte> pack_block(const std::string& text) {
  return pack_block(std::as_bytes(std::span(text)));
}

std::vector<std::byte> unpack_block(std::span<const std::byte> block) {
  ByteReader reader(block, "packed block");
  const auto method = reader.integer<std::uint8_t>();
  const std::size_t size = reader.integer<std::uint32_t>();
  const auto content = reader.take(reader.remaining());
  if (size > kMaxBlockSize) {
    reader.fail("expected at most " + std::to_string(kMaxBlockSize) + " bytes, found " +
                std::to_string(size));
  }
  if (method == kStored) {
    if (content.size() != size) {
      reader.fail("expected " + std::to_string(size) + " stored bytes, found " +
                  std::to_string(content.size()));
    }
    return {content.begin(), content.end()};
  }
  if (method != kDeflated && method != kCoded) {
    reader.fail("unknown method " + std::to_string(method));
  }
  if (size / kMaxExpansion > content.size()) {
    reader.fail(std::to_string(content.size()) + " bytes cannot " +
                (method == kDeflated ? "inflate" : "decode") + " to " + std::to_string(size) +
                ": expected at most " + std::to_string(kMaxExpansion) + " times as many");
  }
  return method == kDeflated ? inflated_block(content, size, reader) : text_decode(content, size);
}

}  // namespace ltz::formats
