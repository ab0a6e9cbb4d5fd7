#include "formats/ltz/block.h"

#include "formats/bytes/bytes.h"
#include "formats/entropy/text_coder.h"

namespace ltz::formats {
namespace {

enum class PackMethod : std::uint8_t {
  kStored = 0,
  kDeflated = 1,  // early writers; refused
  kCoded = 2,
};

std::vector<std::byte> block_of(PackMethod method, std::size_t size,
                                std::span<const std::byte> content) {
  std::vector<std::byte> block;
  put_integer(block, static_cast<std::uint8_t>(method));
  put_integer(block, static_cast<std::uint32_t>(size));
  put_bytes(block, content);
  return block;
}

}  // namespace

std::vector<std::byte> pack_block(std::span<const std::byte> raw) {
  if (raw.size() > kMaxBlockSize) {
    throw FormatError("packed block: expected at most " + std::to_string(kMaxBlockSize) +
                      " bytes, found " + std::to_string(raw.size()));
  }
  if (raw.size() <= kMaxTextSize) {
    const std::vector<std::byte> coded = text_encode(raw);
    if (coded.size() < raw.size() && raw.size() / kMaxExpansion <= coded.size()) {
      return block_of(PackMethod::kCoded, raw.size(), coded);
    }
  }
  return block_of(PackMethod::kStored, raw.size(), raw);
}

std::vector<std::byte> pack_block(const std::string& text) {
  return pack_block(std::as_bytes(std::span(text)));
}

std::vector<std::byte> unpack_block(std::span<const std::byte> block) {
  ByteReader reader(block, "packed block");
  const auto number = reader.integer<std::uint8_t>();
  const std::size_t size = reader.integer<std::uint32_t>();
  const auto content = reader.take(reader.remaining());
  if (size > kMaxBlockSize) {
    reader.fail("expected at most " + std::to_string(kMaxBlockSize) + " bytes, found " +
                std::to_string(size));
  }
  switch (static_cast<PackMethod>(number)) {
    case PackMethod::kStored:
      if (content.size() != size) {
        reader.fail("expected " + std::to_string(size) + " stored bytes, found " +
                    std::to_string(content.size()));
      }
      return {content.begin(), content.end()};
    case PackMethod::kDeflated:
      reader.fail(
          "method 1 (deflate) is no longer read; unpack the file with the ltz that wrote it and "
          "pack it again");
    case PackMethod::kCoded:
      if (size / kMaxExpansion > content.size()) {
        reader.fail(std::to_string(content.size()) + " bytes cannot decode to " +
                    std::to_string(size) + ": expected at most " + std::to_string(kMaxExpansion) +
                    " times as many");
      }
      return text_decode(content, size);
  }
  reader.fail("unknown method " + std::to_string(number));
}

}  // namespace ltz::formats
