#include "formats/bytes/bytes.h"
#include "formats/entropy/text_coder.h"
#include "formats/ltz/block.h"
#include "formats/ltz/inflate.h"
#include "model/base/context.h"

namespace ltz::formats {
namespace {

std::vector<std::byte> inflated_block(std::span<const std::byte> content, std::size_t size,
                                      const ByteReader& reader) {
  Inflated found = in_context("packed block", [&] { return inflate(content, size); });
  if (found.bytes.size() != size || found.consumed != content.size()) {
    reader.fail("expected " + std::to_string(content.size()) + " bytes to inflate to " +
                std::to_string(size) + ", found " + std::to_string(found.consumed) +
                " inflating to " + std::to_string(found.bytes.size()));
  }
  return std::move(found.bytes);
}

}  // namespace

std::vector<std::byte> unpack_block(std::span<const std::byte> block) {
  ByteReader reader(block, "packed block");
  const auto number = reader.integer<std::uint8_t>();
  const auto method = static_cast<PackMethod>(number);
  const std::size_t size = reader.integer<std::uint32_t>();
  const auto content = reader.take(reader.remaining());
  if (size > kMaxBlockSize) {
    reader.fail("expected at most " + std::to_string(kMaxBlockSize) + " bytes, found " +
                std::to_string(size));
  }
  if (method == PackMethod::kStored) {
    if (content.size() != size) {
      reader.fail("expected " + std::to_string(size) + " stored bytes, found " +
                  std::to_string(content.size()));
    }
    return {content.begin(), content.end()};
  }
  if (method != PackMethod::kDeflated && method != PackMethod::kCoded) {
    reader.fail("unknown method " + std::to_string(number));
  }
  if (size / kMaxExpansion > content.size()) {
    reader.fail(std::to_string(content.size()) + " bytes cannot " +
                (method == PackMethod::kDeflated ? "inflate" : "decode") + " to " +
                std::to_string(size) + ": expected at most " + std::to_string(kMaxExpansion) +
                " times as many");
  }
  return method == PackMethod::kDeflated ? inflated_block(content, size, reader)
                                         : text_decode(content, size);
}

}  // namespace ltz::formats
