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

// Vocabularies, merges and indices shrink twofold to twentyfold. What would shrink further than
// this is stored as it is, so that a reader can refuse a small block that claims to be a large one.
inline constexpr std::size_t kMaxExpansion = 64;

// LTZ.md, "Packed block": coded as text where that is shorter than the bytes as they are, but not
// by a factor above kMaxExpansion. Throws FormatError above kMaxBlockSize.
std::vector<std::byte> pack_block(std::span<const std::byte> raw);
std::vector<std::byte> pack_block(const std::string& text);

// The inverse. Throws FormatError for everything that pack_block does not write, before anything is
// allocated for it.
std::vector<std::byte> unpack_block(std::span<const std::byte> block);

}  // namespace ltz::formats
