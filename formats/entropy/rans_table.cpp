#include "formats/entropy/rans_table.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

namespace ltz::formats {
namespace {

// The width that the first symbol's width is compared with.
constexpr int kFirstWidth = kRansBits / 2;

// Bits go into bytes from the lowest bit up.
class BitWriter {
 public:
  explicit BitWriter(std::vector<std::byte>& out) : out_(out) {}

  void put(std::uint32_t value, int bits) {
    for (int i = 0; i < bits; ++i, ++used_) {
      if (used_ % 8 == 0) {
        out_.push_back(std::byte{0});
      }
      out_.back() |= static_cast<std::byte>(((value >> i) & 1U) << (used_ % 8));
    }
  }

 private:
  std::vector<std::byte>& out_;
  std::size_t used_ = 0;
};

class BitReader {
 public:
  explicit BitReader(ByteReader& reader) : reader_(reader) {}

  std::uint32_t get(int bits) {
    std::uint32_t value = 0;
    for (int i = 0; i < bits; ++i, --left_) {
      if (left_ == 0) {
        byte_ = reader_.integer<std::uint8_t>();
        left_ = 8;
      }
      value |= (byte_ & 1U) << i;
      byte_ >>= 1;
    }
    return value;
  }

  bool padding_is_zero() const { return byte_ == 0; }

 private:
  ByteReader& reader_;
  std::uint32_t byte_ = 0;
  int left_ = 0;
};

// Numbers from 1 up; small ones take few bits (Elias gamma): the bits below the leading one, after
// as many zeros and a one.
int gamma_bits(std::uint32_t value) {
  return 2 * std::bit_width(value) - 1;
}

void put_gamma(BitWriter& writer, std::uint32_t value) {
  const int below = std::bit_width(value) - 1;
  writer.put(std::uint32_t{1} << below, below + 1);
  writer.put(value, below);
}

std::uint32_t get_gamma(BitReader& bits, const ByteReader& reader) {
  int below = 0;
  while (bits.get(1) == 0) {
    if (++below > 5) {
      reader.fail("frequency table: malformed width");
    }
  }
  return (std::uint32_t{1} << below) | bits.get(below);
}

// 0, -1, 1, -2, 2, ... <-> 1, 2, 3, 4, 5, ...
std::uint32_t from_signed(int value) {
  return static_cast<std::uint32_t>(value < 0 ? -2 * value : 2 * value + 1);
}

int to_signed(std::uint32_t code) {
  return (code & 1U) != 0 ? static_cast<int>(code / 2) : -static_cast<int>(code / 2);
}

// Bits of a frequency below its leading one that are stored.
int stored_bits(int width, int precision) {
  return std::min(width, precision) - 1;
}

// The nearest value with so many significant bits.
std::uint32_t round_to_precision(std::uint32_t value, int precision) {
  const int drop = std::bit_width(value) - precision;
  if (drop <= 0) {
    return value;
  }
  return ((value + (std::uint32_t{1} << (drop - 1))) >> drop) << drop;
}

// Frequencies in proportion to the counts, at least 1 for each symbol that occurs.
std::vector<std::uint32_t> normalise(std::span<const std::uint64_t> histogram,
                                     std::uint64_t count) {
  std::vector<std::uint32_t> frequencies(histogram.size(), 0);
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < histogram.size(); ++i) {
    if (histogram[i] != 0) {
      const double share = static_cast<double>(histogram[i]) / static_cast<double>(count);
      frequencies[i] = std::max(1U, static_cast<std::uint32_t>(share * kRansTotal + 0.5));
      sum += frequencies[i];
    }
  }
  // The largest ones bear the difference: there, a unit costs least. At most 256 units are off.
  for (; sum > kRansTotal; --sum) {
    --*std::ranges::max_element(frequencies);
  }
  *std::ranges::max_element(frequencies) += static_cast<std::uint32_t>(kRansTotal - sum);
  return frequencies;
}

// The same table with fewer significant bits; frequency 0 for `rest` when that leaves it nothing.
RansTable rounded(const RansTable& exact, int precision) {
  RansTable table{exact.frequencies, precision, exact.rest};
  std::uint32_t others = 0;
  for (std::size_t i = 0; i < table.frequencies.size(); ++i) {
    if (i != table.rest) {
      table.frequencies[i] = round_to_precision(table.frequencies[i], precision);
      others += table.frequencies[i];
    }
  }
  table.frequencies[table.rest] = others < kRansTotal ? kRansTotal - others : 0;
  return table;
}

}  // namespace

RansTable choose_table(std::span<const std::uint64_t> histogram) {
  const auto count = std::accumulate(histogram.begin(), histogram.end(), std::uint64_t{0});
  RansTable exact{normalise(histogram, count), kRansBits, 0};
  // The largest frequency is the one that the rounding of the others changes least.
  exact.rest = static_cast<std::uint8_t>(std::ranges::max_element(exact.frequencies) -
                                         exact.frequencies.begin());
  if (exact.frequencies[exact.rest] == kRansTotal) {
    exact.precision = 0;
    return exact;
  }
  RansTable best = exact;
  double best_bits = coded_bits(histogram, exact) + static_cast<double>(table_bits(exact));
  for (int precision = kRansBits - 1; precision >= 1; --precision) {
    RansTable table = rounded(exact, precision);
    if (table.frequencies[table.rest] != 0) {
      const double bits = coded_bits(histogram, table) + static_cast<double>(table_bits(table));
      if (bits < best_bits) {
        best_bits = bits;
        best = std::move(table);
      }
    }
  }
  return best;
}

double coded_bits(std::span<const std::uint64_t> histogram, const RansTable& table) {
  double bits = 0;
  for (std::size_t i = 0; i < histogram.size(); ++i) {
    if (histogram[i] != 0) {
      bits += static_cast<double>(histogram[i]) *
              (kRansBits - std::log2(static_cast<double>(table.frequencies[i])));
    }
  }
  return bits;
}

std::size_t table_bits(const RansTable& table) {
  std::size_t bits = 16;
  int previous = kFirstWidth;
  for (std::size_t i = 0; i < table.frequencies.size() && table.precision != 0; ++i) {
    if (i != table.rest) {
      const int width = std::bit_width(table.frequencies[i]);
      const int below = width == 0 ? 0 : stored_bits(width, table.precision);
      bits += static_cast<std::size_t>(gamma_bits(from_signed(width - previous)) + below);
      previous = width;
    }
  }
  return bits;
}

void put_table(std::vector<std::byte>& out, const RansTable& table) {
  out.push_back(static_cast<std::byte>(table.precision));
  out.push_back(static_cast<std::byte>(table.rest));
  BitWriter writer(out);
  int previous = kFirstWidth;
  for (std::size_t i = 0; i < table.frequencies.size() && table.precision != 0; ++i) {
    if (i != table.rest) {
      const int width = std::bit_width(table.frequencies[i]);
      put_gamma(writer, from_signed(width - previous));
      if (width != 0) {
        const int below = stored_bits(width, table.precision);
        writer.put(table.frequencies[i] >> (width - 1 - below), below);
      }
      previous = width;
    }
  }
}

RansTable get_table(ByteReader& reader, int alphabet) {
  RansTable table{std::vector<std::uint32_t>(static_cast<std::size_t>(alphabet), 0), 0, 0};
  table.precision = reader.integer<std::uint8_t>();
  table.rest = reader.integer<std::uint8_t>();
  if (table.precision > kRansBits) {
    reader.fail("frequency table: expected a precision of at most " + std::to_string(kRansBits) +
                ", found " + std::to_string(table.precision));
  }
  if (table.rest >= alphabet) {
    reader.fail("frequency table: symbol " + std::to_string(table.rest) +
                " is not in an alphabet of " + std::to_string(alphabet));
  }
  BitReader bits(reader);
  int previous = kFirstWidth;
  std::uint32_t others = 0;
  for (std::size_t i = 0; i < table.frequencies.size() && table.precision != 0; ++i) {
    if (i != table.rest) {
      const int width = previous + to_signed(get_gamma(bits, reader));
      if (width < 0 || width > kRansBits) {
        reader.fail("frequency table: width " + std::to_string(width) + " is out of range");
      }
      if (width != 0) {
        const int below = stored_bits(width, table.precision);
        const std::uint32_t leading = std::uint32_t{1} << below;
        table.frequencies[i] = (leading | bits.get(below)) << (width - 1 - below);
      }
      others += table.frequencies[i];
      previous = width;
    }
  }
  if (!bits.padding_is_zero()) {
    reader.fail("frequency table: expected zeros in the last byte's unused bits");
  }
  if (others >= kRansTotal || (others == 0) != (table.precision == 0)) {
    reader.fail("frequency table: the frequencies add up to " + std::to_string(others) +
                ", expected 1 to " + std::to_string(kRansTotal - 1));
  }
  table.frequencies[table.rest] = kRansTotal - others;
  return table;
}

}  // namespace ltz::formats
