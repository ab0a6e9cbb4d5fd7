#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace ltz::formats {

// CRC-32C (Castagnoli): reflected polynomial 0x82F63B78, initial value and final XOR 0xFFFFFFFF, as
// in RFC 3720, section 12.1. The CRC of "123456789" is 0xE3069283.
std::uint32_t crc32c(std::span<const std::byte> bytes);

// The same without special instructions.
std::uint32_t crc32c_portable(std::span<const std::byte> bytes);

}  // namespace ltz::formats
