#include <zlib.h>

#include "formats/bytes/bytes.h"
#include "formats/entropy/text_coder.h"
#include "formats/ltz/block.h"

namespace ltz::formats {
namespace {

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
  PackMethod method = PackMethod::kStored;
  std::vector<std::byte> best(raw.begin(), raw.end());
  const auto consider = [&](PackMethod candidate, std::vector<std::byte> packed) {
    if (pays(packed, raw) && packed.size() < best.size()) {
      method = candidate;
      best = std::move(packed);
    }
  };
  consider(PackMethod::kDeflated, deflated(raw));
  if (raw.size() <= kMaxTextSize) {
    consider(PackMethod::kCoded, text_encode(raw));
  }
  std::vector<std::byte> block;
  put_integer(block, static_cast<std::uint8_t>(method));
  put_integer(block, static_cast<std::uint32_t>(raw.size()));
  put_bytes(block, best);
  return block;
}

std::vector<std::byte> pack_block(const std::string& text) {
  return pack_block(std::as_bytes(std::span(text)));
}

}  // namespace ltz::formats
