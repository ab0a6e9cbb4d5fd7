#include "formats/ltz_deflate.h"

#include <zlib.h>

#include <cstdint>

#include "formats/ltz_bytes.h"

namespace ltz::formats {
namespace {

constexpr std::uint8_t kStored = 0;
constexpr std::uint8_t kDeflated = 1;

// No deflate stream expands further (zlib's technical notes: 1032:1 at the limit).
constexpr std::size_t kMaxExpansion = 1032;

}  // namespace

std::vector<std::byte> pack_block(std::span<const std::byte> raw) {
  if (raw.size() > kMaxBlockSize) {
    throw FormatError("packed block: expected at most " + std::to_string(kMaxBlockSize) +
                      " bytes, found " + std::to_string(raw.size()));
  }
  uLongf size = compressBound(raw.size());
  std::vector<std::byte> deflated(size);
  const int status = compress2(reinterpret_cast<Bytef*>(deflated.data()), &size,
                               reinterpret_cast<const Bytef*>(raw.data()), raw.size(), 9);
  const bool pays = status == Z_OK && size < raw.size();
  std::vector<std::byte> block;
  put_integer(block, pays ? kDeflated : kStored);
  put_integer(block, static_cast<std::uint32_t>(raw.size()));
  put_bytes(block, pays ? std::span<const std::byte>(deflated).first(size) : raw);
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
  if (method != kDeflated) {
    reader.fail("unknown method " + std::to_string(method));
  }
  if (size / kMaxExpansion > content.size()) {
    reader.fail(std::to_string(content.size()) + " bytes cannot inflate to " +
                std::to_string(size));
  }
  std::vector<std::byte> raw(size);
  uLongf inflated = size;
  uLong consumed = content.size();
  const int status = uncompress2(reinterpret_cast<Bytef*>(raw.data()), &inflated,
                                 reinterpret_cast<const Bytef*>(content.data()), &consumed);
  if (status != Z_OK) {
    reader.fail(std::string("does not inflate: ") + zError(status));
  }
  if (inflated != size || consumed != content.size()) {
    reader.fail("expected " + std::to_string(content.size()) + " bytes to inflate to " +
                std::to_string(size) + ", found " + std::to_string(consumed) + " inflating to " +
                std::to_string(inflated));
  }
  return raw;
}

}  // namespace ltz::formats
