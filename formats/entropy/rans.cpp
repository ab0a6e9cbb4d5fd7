#include "formats/entropy/rans.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <string>

#include "formats/entropy/rans_table.h"

namespace ltz::formats {
namespace {

// Symbol i belongs to state i % kStates: independent states let a processor overlap their chains
// of dependent multiplications.
constexpr std::size_t kStates = 4;

// States are in [kLowest, 2^32 * kLowest): each refill takes exactly one 32-bit word.
constexpr std::uint64_t kLowest = std::uint64_t{1} << 31;

using States = std::array<std::uint64_t, kStates>;

std::vector<std::uint32_t> running_sums(const std::vector<std::uint32_t>& frequencies) {
  std::vector<std::uint32_t> starts(frequencies.size());
  std::exclusive_scan(frequencies.begin(), frequencies.end(), starts.begin(), 0U);
  return starts;
}

// Which symbol each of the kRansTotal slots belongs to, and where a symbol's slots are.
class Decoder {
 public:
  Decoder(const RansTable& table, std::span<const std::byte> words)
      : words_(words), symbols_(kRansTotal) {
    const auto starts = running_sums(table.frequencies);
    for (std::size_t i = 0; i < starts.size(); ++i) {
      ranges_[i] = {static_cast<std::uint16_t>(table.frequencies[i]),
                    static_cast<std::uint16_t>(starts[i])};
      std::fill_n(symbols_.begin() + starts[i], table.frequencies[i], static_cast<std::uint8_t>(i));
    }
  }

  // All symbols but the last few: as long as no state can run out of words, none is counted.
  void decode(std::span<std::uint8_t> symbols, States& states) {
    const std::size_t rounds = symbols.size() / kStates;
    std::size_t round = 0;
    while (round < rounds) {
      const std::size_t safe = std::min(words_.size() / (4 * kStates), rounds - round);
      if (safe == 0) {
        break;
      }
      decode_rounds(symbols.subspan(round * kStates, safe * kStates), states);
      round += safe;
    }
    for (std::size_t i = round * kStates; i < symbols.size(); ++i) {
      std::uint64_t& state = states[i % kStates];
      symbols[i] = advance(state);
      if (state < kLowest) {
        if (words_.size() < 4) {
          throw FormatError("rANS stream: truncated at symbol " + std::to_string(i) + " of " +
                            std::to_string(symbols.size()));
        }
        state = (state << 32) | get_integer<std::uint32_t>(words_.data());
        words_ = words_.subspan(4);
      }
    }
  }

  std::size_t bytes_left() const { return words_.size(); }

 private:
  struct Range {
    std::uint16_t frequency;
    std::uint16_t start;
  };

  std::uint8_t advance(std::uint64_t& state) const {
    const auto slot = static_cast<std::uint32_t>(state & (kRansTotal - 1));
    const std::uint8_t symbol = symbols_[slot];
    const Range range = ranges_[symbol];
    state = range.frequency * (state >> kRansBits) + (slot - range.start);
    return symbol;
  }

  // symbols.size() is a multiple of kStates and each symbol has a word that it may take.
  void decode_rounds(std::span<std::uint8_t> symbols, States& kept) {
    States states = kept;  // a local copy stays in registers
    const std::byte* next = words_.data();
    for (std::size_t i = 0; i < symbols.size(); i += kStates) {
      for (std::size_t s = 0; s < kStates; ++s) {
        std::uint64_t& state = states[s];
        symbols[i + s] = advance(state);
        // Without a branch: whether a word is due is as good as random.
        const std::uint64_t refilled = (state << 32) | get_integer<std::uint32_t>(next);
        const bool due = state < kLowest;
        state = due ? refilled : state;
        next += due ? 4 : 0;
      }
    }
    words_ = words_.subspan(static_cast<std::size_t>(next - words_.data()));
    kept = states;
  }

  std::span<const std::byte> words_;
  std::vector<std::uint8_t> symbols_;
  std::array<Range, 256> ranges_{};
};

std::vector<std::uint64_t> histogram_of(std::span<const std::uint8_t> symbols, int alphabet) {
  std::vector<std::uint64_t> histogram(static_cast<std::size_t>(alphabet), 0);
  for (const std::uint8_t symbol : symbols) {
    if (symbol >= alphabet) {
      throw FormatError("rANS: symbol " + std::to_string(symbol) + " is not in an alphabet of " +
                        std::to_string(alphabet));
    }
    ++histogram[symbol];
  }
  return histogram;
}

}  // namespace

std::vector<std::byte> rans_encode(std::span<const std::uint8_t> symbols, int alphabet) {
  std::vector<std::byte> out;
  const auto histogram = histogram_of(symbols, alphabet);
  if (symbols.empty()) {
    return out;
  }
  const RansTable table = choose_table(histogram);
  put_table(out, table);
  if (table.precision == 0) {
    return out;
  }
  const auto starts = running_sums(table.frequencies);
  States states;
  states.fill(kLowest);
  // A decoder undoes the encoder's last step first; so the symbols go in from the end.
  std::vector<std::uint32_t> words;
  words.reserve(symbols.size() / 4);
  for (std::size_t i = symbols.size(); i-- > 0;) {
    std::uint64_t& state = states[i % kStates];
    const std::uint64_t frequency = table.frequencies[symbols[i]];
    if (state >= (kLowest >> kRansBits << 32) * frequency) {
      words.push_back(static_cast<std::uint32_t>(state));
      state >>= 32;
    }
    state = ((state / frequency) << kRansBits) + state % frequency + starts[symbols[i]];
  }
  out.reserve(out.size() + 8 * kStates + 4 * words.size());
  for (const std::uint64_t state : states) {
    put_integer(out, state);
  }
  for (std::size_t i = words.size(); i-- > 0;) {
    put_integer(out, words[i]);
  }
  return out;
}

std::vector<std::uint8_t> rans_decode(std::span<const std::byte> bytes, std::size_t count,
                                      int alphabet) {
  ByteReader reader(bytes, "rANS stream");
  if (count == 0) {
    reader.expect_end();
    return {};
  }
  const RansTable table = get_table(reader, alphabet);
  if (table.precision == 0) {
    reader.expect_end();
    return std::vector<std::uint8_t>(count, table.rest);
  }
  States states;
  for (std::uint64_t& state : states) {
    state = reader.integer<std::uint64_t>();
    if (state < kLowest || state >= kLowest << 32) {
      reader.fail("initial state " + std::to_string(state) + " is out of range");
    }
  }
  Decoder decoder(table, reader.take(reader.remaining()));
  std::vector<std::uint8_t> symbols(count);
  decoder.decode(symbols, states);
  if (decoder.bytes_left() != 0) {
    reader.fail(std::to_string(decoder.bytes_left()) + " unexpected trailing bytes");
  }
  if (std::ranges::any_of(states, [](std::uint64_t state) { return state != kLowest; })) {
    reader.fail("the final states are not the initial ones");
  }
  return symbols;
}

double rans_size(std::span<const std::uint64_t> histogram) {
  if (std::ranges::all_of(histogram, [](std::uint64_t count) { return count == 0; })) {
    return 0;
  }
  const RansTable table = choose_table(histogram);
  const auto table_bytes = static_cast<double>((table_bits(table) + 7) / 8);
  if (table.precision == 0) {
    return table_bytes;
  }
  // A state has 8 bytes: 31 bits are its initial value, and 16, on average, belong to the symbols.
  const double words = coded_bits(histogram, table) / 8 - 2 * kStates;
  return table_bytes + 8 * kStates + std::max(0.0, words);
}

}  // namespace ltz::formats
