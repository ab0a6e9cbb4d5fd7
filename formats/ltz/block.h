#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace ltz::formats {

// The most that one block may hold, unpacked: dozens of times any vocabulary, but little enough
// that a hostile file cannot fill the memory with it.
inline constexpr std::size_t kMaxBlockSize = std::size_t{1} << 26;

enum class PackMethod : std::uint8_t { kStored = 0, kDeflated = 1, kCoded = 2 };

// Vocabularies, merges and indices expand twofold to twentyfold, but deflate can do 1032:1
// (zlib's technical notes). What expands further than this is stored as it is.
inline constexpr std::size_t kMaxExpansion = 64;

// LTZ.md, "Packed block": deflated by zlib or coded as text, whatever is shorter, if that is
// shorter than the bytes as they are, but not by a factor above kMaxExpansion. Throws FormatError
// above kMaxBlockSize.
std::vector<std::byte> pack_block(std::span<const std::byte> raw);
std::vector<std::byte> pack_block(const std::string& text);

// The inverse. Throws FormatError for everything that pack_block does not write, before anything is
// allocated for it.
std::vector<std::byte> unpack_block(std::span<const std::byte> block);

}  // namespace ltz::formats
