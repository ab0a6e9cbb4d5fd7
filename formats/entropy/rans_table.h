#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "formats/bytes/bytes.h"

namespace ltz::formats {

// Probabilities are multiples of 2^-15. Fewer bits cost file size where a codebook has many rare
// centroids (each takes at least one unit), more bits cost the decoder its level-1 cache.
inline constexpr int kRansBits = 15;
inline constexpr std::uint32_t kRansTotal = std::uint32_t{1} << kRansBits;

// The static model of one stream: how often each symbol occurs in kRansTotal.
struct RansTable {
  // (alphabet). They sum up to kRansTotal; 0 for a symbol that does not occur.
  std::vector<std::uint32_t> frequencies;
  // Significant bits of every stored frequency, 1...kRansBits; 0: only `rest` occurs.
  int precision = 0;
  // The symbol whose frequency is what the others leave; it is not stored.
  std::uint8_t rest = 0;
};

// The table that makes table and symbols together shortest: exact frequencies pay in a long stream,
// rounded ones in a short one. histogram: (alphabet), not all zero, at most 256 entries.
RansTable choose_table(std::span<const std::uint64_t> histogram);

// Bits of symbols with this histogram under the table, without rounding to whole bytes.
double coded_bits(std::span<const std::uint64_t> histogram, const RansTable& table);

// Exact size of put_table's answer in bits, without its padding to whole bytes.
std::size_t table_bits(const RansTable& table);

// The layout is in LTZ.md, "Frequency table".
void put_table(std::vector<std::byte>& out, const RansTable& table);
RansTable get_table(ByteReader& reader, int alphabet);

}  // namespace ltz::formats
