#include "formats/ltz/inflate.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

#include "model/base/error.h"

// Numbers in brackets are sections of RFC 1951.
namespace ltz::formats {
namespace {

constexpr int kMaxCodeLength = 15;
constexpr int kEndOfBlock = 256;
constexpr int kFirstLength = 257;
constexpr std::size_t kLiteralsAndLengths = 286;
constexpr std::size_t kDistances = 30;
constexpr std::size_t kShortestMatch = 3;

[[noreturn]] void fail(const std::string& reason) {
  throw FormatError("does not inflate: " + reason);
}

// Bits fill each byte from the lowest up [3.1.1].
class BitReader {
 public:
  explicit BitReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  unsigned bits(int count) {
    unsigned value = 0;
    for (int i = 0; i < count; ++i) {
      if (bit_ == 0) {
        current_ = byte();
      }
      value |= ((current_ >> bit_) & 1U) << i;
      bit_ = (bit_ + 1) % 8;
    }
    return value;
  }

  // What is left of a byte that was begun is skipped.
  void align() { bit_ = 0; }
  // Aligned.
  unsigned byte() {
    if (consumed_ == bytes_.size()) {
      fail("the stream is truncated");
    }
    return static_cast<unsigned>(bytes_[consumed_++]);
  }

  std::size_t consumed() const { return consumed_; }

 private:
  std::span<const std::byte> bytes_;
  std::size_t consumed_ = 0;
  unsigned current_ = 0;
  int bit_ = 0;
};

// Canonical: codes of one length are consecutive, in the order of the symbols [3.2.2].
class HuffmanCode {
 public:
  // lengths: of each symbol's code, 0 for none. Only codes of one bit at most may be too few.
  explicit HuffmanCode(std::span<const std::uint8_t> lengths) {
    for (const std::uint8_t length : lengths) {
      ++counts_[length];
    }
    counts_[0] = 0;
    int unused = 1;
    int longest = 0;
    for (int length = 1; length <= kMaxCodeLength; ++length) {
      unused = 2 * unused - counts_[length];
      if (unused < 0) {
        fail("a code has too many symbols");
      }
      longest = counts_[length] > 0 ? length : longest;
    }
    complete_ = unused == 0;
    if (!complete_ && longest > 1) {
      fail("a code has too few symbols");
    }
    for (int length = 1; length <= longest; ++length) {
      for (std::size_t symbol = 0; symbol < lengths.size(); ++symbol) {
        if (lengths[symbol] == length) {
          symbols_.push_back(static_cast<int>(symbol));
        }
      }
    }
  }

  bool complete() const { return complete_; }

  int decode(BitReader& reader) const {
    int code = 0;
    int first = 0;  // code of this length
    int index = 0;  // of its symbol
    for (int length = 1; length <= kMaxCodeLength; ++length) {
      code = 2 * code + static_cast<int>(reader.bits(1));
      first *= 2;
      if (code - first < counts_[length]) {
        return symbols_[static_cast<std::size_t>(index + code - first)];
      }
      first += counts_[length];
      index += counts_[length];
    }
    fail("a code without a symbol");
  }

 private:
  std::array<int, kMaxCodeLength + 1> counts_{};
  std::vector<int> symbols_;  // in ascending order of their codes
  bool complete_ = false;     // whatever the bits are, they are a code
};

struct BlockCodes {
  HuffmanCode literals_and_lengths;
  HuffmanCode distances;
};

// [3.2.6]
BlockCodes fixed_codes() {
  std::array<std::uint8_t, 288> lengths;
  std::fill(lengths.begin(), lengths.begin() + 144, std::uint8_t{8});
  std::fill(lengths.begin() + 144, lengths.begin() + 256, std::uint8_t{9});
  std::fill(lengths.begin() + 256, lengths.begin() + 280, std::uint8_t{7});
  std::fill(lengths.begin() + 280, lengths.end(), std::uint8_t{8});
  std::array<std::uint8_t, 32> distances;
  distances.fill(5);
  return {HuffmanCode(lengths), HuffmanCode(distances)};
}

// [3.2.7]
BlockCodes read_codes(BitReader& reader) {
  constexpr std::array<std::uint8_t, 19> kOrder = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                                   11, 4,  12, 3, 13, 2, 14, 1, 15};
  const std::size_t literals = kFirstLength + reader.bits(5);
  const std::size_t distances = 1 + reader.bits(5);
  const std::size_t order = 4 + reader.bits(4);
  if (literals > kLiteralsAndLengths || distances > kDistances) {
    fail("a code has too many symbols");
  }
  std::array<std::uint8_t, kOrder.size()> code_lengths{};
  for (std::size_t i = 0; i < order; ++i) {
    code_lengths[kOrder[i]] = static_cast<std::uint8_t>(reader.bits(3));
  }
  const HuffmanCode code(code_lengths);
  if (!code.complete()) {
    fail("a code has too few symbols");
  }
  std::vector<std::uint8_t> lengths;
  while (lengths.size() < literals + distances) {
    const int symbol = code.decode(reader);
    if (symbol <= kMaxCodeLength) {
      lengths.push_back(static_cast<std::uint8_t>(symbol));
      continue;
    }
    if (symbol == 16 && lengths.empty()) {
      fail("a code repeats a length before the first");
    }
    const std::uint8_t repeated = symbol == 16 ? lengths.back() : std::uint8_t{0};
    const unsigned times = symbol == 16   ? 3 + reader.bits(2)
                           : symbol == 17 ? 3 + reader.bits(3)
                                          : 11 + reader.bits(7);
    lengths.insert(lengths.end(), times, repeated);
  }
  if (lengths.size() > literals + distances) {
    fail("a code has too many symbols");
  }
  if (lengths[kEndOfBlock] == 0) {
    fail("a block without an end");
  }
  const std::span all(lengths);
  return {HuffmanCode(all.first(literals)), HuffmanCode(all.subspan(literals))};
}

// The number that a symbol and the bits behind it stand for, from 0 [3.2.5]. The first 2^(group +
// 1) symbols have no bits behind them; of the others, each further group of 2^group has one more.
unsigned ranged_number(unsigned symbol, int group, BitReader& reader) {
  const auto extra = static_cast<int>(symbol >> group) - 1;
  if (extra <= 0) {
    return symbol;
  }
  const unsigned leading = (1U << group) + (symbol & ((1U << group) - 1U));
  return (leading << extra) + reader.bits(extra);
}

// Of a match; the longest one has a symbol to itself.
std::size_t match_length(int symbol, BitReader& reader) {
  constexpr int kLongest = 285;
  if (symbol > kLongest) {
    fail("a code without a symbol");
  }
  return kShortestMatch +
         (symbol == kLongest
              ? 255U
              : ranged_number(static_cast<unsigned>(symbol - kFirstLength), 2, reader));
}

// Beyond the limit, a block may be left before its end.
void inflate_block(const BlockCodes& codes, BitReader& reader, std::size_t limit,
                   std::vector<std::byte>& out) {
  while (out.size() <= limit) {
    const int symbol = codes.literals_and_lengths.decode(reader);
    if (symbol == kEndOfBlock) {
      return;
    }
    if (symbol < kEndOfBlock) {
      out.push_back(static_cast<std::byte>(symbol));
      continue;
    }
    const std::size_t length = match_length(symbol, reader);
    const int far = codes.distances.decode(reader);
    if (far >= static_cast<int>(kDistances)) {
      fail("a code without a symbol");
    }
    const std::size_t distance = 1U + ranged_number(static_cast<unsigned>(far), 1, reader);
    if (distance > out.size()) {
      fail("a match before the first byte");
    }
    for (std::size_t i = 0; i < length; ++i) {
      out.push_back(out[out.size() - distance]);
    }
  }
}

// [3.2.4]
void copy_block(BitReader& reader, std::size_t limit, std::vector<std::byte>& out) {
  reader.align();
  const unsigned length = reader.bits(16);
  if (length != (~reader.bits(16) & 0xFFFFU)) {
    fail("a stored block's lengths differ");
  }
  for (unsigned i = 0; i < length && out.size() <= limit; ++i) {
    out.push_back(static_cast<std::byte>(reader.byte()));
  }
}

std::uint32_t adler32(std::span<const std::byte> bytes) {
  constexpr std::uint32_t kModulus = 65521;
  std::uint32_t low = 1;
  std::uint32_t high = 0;
  for (const std::byte byte : bytes) {
    low = (low + static_cast<std::uint32_t>(byte)) % kModulus;
    high = (high + low) % kModulus;
  }
  return (high << 16) | low;
}

// RFC 1950, 2.2: deflate, a window that exists, no dictionary.
void read_header(BitReader& reader) {
  const unsigned method = reader.byte();
  const unsigned flags = reader.byte();
  if ((method & 0xFU) != 8 || (method >> 4) > 7 || (flags & 0x20U) != 0 ||
      (256 * method + flags) % 31 != 0) {
    fail("no zlib header");
  }
}

}  // namespace

Inflated inflate(std::span<const std::byte> stream, std::size_t limit) {
  BitReader reader(stream);
  read_header(reader);
  Inflated result;
  bool last = false;
  while (!last && result.bytes.size() <= limit) {
    last = reader.bits(1) == 1;
    switch (reader.bits(2)) {
      case 0:
        copy_block(reader, limit, result.bytes);
        break;
      case 1:
        inflate_block(fixed_codes(), reader, limit, result.bytes);
        break;
      case 2:
        inflate_block(read_codes(reader), reader, limit, result.bytes);
        break;
      default:
        fail("unknown type of block");
    }
  }
  if (result.bytes.size() <= limit) {
    reader.align();
    std::uint32_t expected = 0;
    for (int i = 0; i < 4; ++i) {
      expected = (expected << 8) | reader.byte();
    }
    if (expected != adler32(result.bytes)) {
      fail("the checksum differs");
    }
  }
  result.consumed = reader.consumed();
  return result;
}

}  // namespace ltz::formats
