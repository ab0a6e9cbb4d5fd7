#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace ltz::formats {

struct Inflated {
  std::vector<std::byte> bytes;
  std::size_t consumed = 0;  // bytes of the stream
};

// Inflates the zlib stream (RFC 1950) at the front of these bytes; beyond `limit` bytes it stops
// short, with more than limit. Memory grows with what the stream really holds. So little of it is
// ever deflated in a .ltz that this reads bit by bit, and whoever only reads needs no zlib. Throws
// FormatError where zlib's inflate would fail.
Inflated inflate(std::span<const std::byte> stream, std::size_t limit);

}  // namespace ltz::formats
