#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace ltz::formats {

// Words, merges, the index, the configuration: short texts, in which deflate finds little to copy.
// Each bit is predicted from the bytes before it, at five lengths at once, and the predictions are
// mixed by what has worked so far (context mixing; Mahoney 2005, "Adaptive weighing of context
// models for lossless data compression"). Integers only. LTZ.md, "Text stream".

// The most that may be coded: decoding takes about 0.3 us a byte, and a hostile file must not take
// a minute.
inline constexpr std::size_t kMaxTextSize = std::size_t{1} << 22;

// text: at most kMaxTextSize bytes. No bytes become no bytes.
std::vector<std::byte> text_encode(std::span<const std::byte> text);

// The `size` bytes of such a stream. Allocates them and up to 16 MiB for the model, so the caller
// bounds it. Throws FormatError for bytes that text_encode did not write.
std::vector<std::byte> text_decode(std::span<const std::byte> bytes, std::size_t size);

}  // namespace ltz::formats
