#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "formats/bytes/bytes.h"

namespace ltz::formats {

// The scales of a tensor's rows, as row_scale() has them, within a payload: their range, then a
// context stream of what they are below the largest. LTZ.md, "Row scales".

// scales: (rows), at least one.
void put_row_scales(std::vector<std::byte>& out, std::span<const std::uint8_t> scales);

// The scales of so many rows. Allocates one byte for each, so the caller bounds it. Throws
// FormatError for no rows and for bytes that put_row_scales did not write.
std::vector<std::uint8_t> get_row_scales(ByteReader& reader, std::size_t rows);

}  // namespace ltz::formats
