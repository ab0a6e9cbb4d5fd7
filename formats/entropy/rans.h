#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace ltz::formats {

// Range variant of asymmetric numeral systems (Duda 2013, arXiv:1311.2540, section 2.3) with one
// static table per stream. LTZ.md, "rANS stream", has the byte layout.

// symbols: each below alphabet; 1 <= alphabet <= 256. No symbols become no bytes; symbols that are
// all the same, two bytes. Throws FormatError for a symbol outside the alphabet.
std::vector<std::byte> rans_encode(std::span<const std::uint8_t> symbols, int alphabet);

// The `count` symbols of such a stream, each below alphabet. Allocates `count` bytes, so the caller
// bounds it. Throws FormatError for bytes that rans_encode did not write: too few, too many, a
// table that does not add up, states that do not come back to their initial value.
std::vector<std::uint8_t> rans_decode(std::span<const std::byte> bytes, std::size_t count,
                                      int alphabet);

// The expected size in bytes of rans_encode's answer for symbols with this histogram, exact to a
// few bytes. histogram: (alphabet), at most 256 entries.
double rans_size(std::span<const std::uint64_t> histogram);

}  // namespace ltz::formats
