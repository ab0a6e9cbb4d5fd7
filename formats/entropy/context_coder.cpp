#include "formats/entropy/context_coder.h"

#include <algorithm>
#include <array>
#include <bit>
#include <string>

#include "formats/entropy/range_coder.h"

namespace ltz::formats {
namespace {

constexpr const char* kStream = "context stream";

// Magnitudes up to this are coded as a row of decisions "more than k?"; what is beyond it, as an
// Exp-Golomb code.
constexpr int kUnary = 6;
// Longest such code: magnitudes are below 256.
constexpr int kClasses = 8;
// Decisions that have a context: is it zero, is it more than 1...kUnary, is its class more than k.
constexpr std::size_t kDecisions = 1 + kUnary + kClasses;
// Bits of an Exp-Golomb code below the leading one that are modelled as a tree; the others only by
// their place.
constexpr int kTreeBits = 2;

// A new context begins with what all contexts together have learned, held as if it came from at
// most kInherited bits. Contexts that have seen kGrown bits stop to contribute to that.
constexpr std::uint32_t kInherited = 12;
constexpr std::uint32_t kGrown = 64;

// Means of magnitudes have 16 fractional bits.
constexpr int kMeanBits = 16;
constexpr std::uint32_t kOne = 1U << kMeanBits;
// Means below 2^-3 are as good as zero.
constexpr int kLeastExponent = kMeanBits - 3;

// 1 + 2^fine_bits x log2(mean / 2^-3), linear between powers of two; 0 below.
std::uint32_t level(std::uint32_t mean, int fine_bits) {
  const int exponent = std::bit_width(mean) - 1;
  if (exponent < kLeastExponent) {
    return 0;
  }
  const std::uint32_t fine = (mean >> (exponent - fine_bits)) & ((1U << fine_bits) - 1);
  return 1 + (static_cast<std::uint32_t>(exponent - kLeastExponent) << fine_bits) + fine;
}

// Levels per doubling: 2 for rows, 4 for columns. More of them learn more slowly, fewer less.
constexpr int kRowFineBits = 1;
constexpr int kColumnFineBits = 2;

// The levels of all means up to a largest magnitude, times a factor: what finds a context. A level
// begins at a multiple of 2^step_bits, so that a short table has them all; of it, only the first
// few lines are in use.
class LevelTable {
 public:
  LevelTable(int largest, int fine_bits, std::uint32_t factor)
      : step_bits_(kLeastExponent - fine_bits) {
    const std::uint32_t most = static_cast<std::uint32_t>(largest) << kMeanBits;
    for (std::uint32_t mean = 0; mean <= most; mean += 1U << step_bits_) {
      levels_.push_back(level(mean, fine_bits) * factor);
    }
  }

  std::uint32_t operator[](std::uint32_t mean) const { return levels_[mean >> step_bits_]; }
  // One factor beyond the highest level.
  std::uint32_t end(std::uint32_t factor) const { return levels_.back() + factor; }

 private:
  int step_bits_;
  std::vector<std::uint32_t> levels_;
};

// A mean that starts from a guess worth `prior` values and that forgets after kMemory.
constexpr std::size_t kRowPrior = 12;
constexpr std::size_t kColumnPrior = 8;
constexpr std::size_t kMemory = 256;
constexpr std::size_t kTensorMemory = 64;  // in rows

std::uint32_t moved(std::uint32_t mean, std::uint32_t value, std::int64_t rate) {
  const std::int64_t difference = static_cast<std::int64_t>(value) - mean;
  return static_cast<std::uint32_t>(mean + ((difference * rate) >> 16));
}

// What the next value counts for, in 2^-16, behind so many.
std::int64_t rate_behind(std::size_t values) {
  static constexpr auto kRates = [] {
    std::array<std::int32_t, kMemory + 1> rates{};
    for (std::size_t n = 1; n < rates.size(); ++n) {
      rates[n] = static_cast<std::int32_t>((1U << 16) / n);
    }
    return rates;
  }();
  return kRates[std::min(values, kMemory)];
}

// The model, for one direction; Coder: RangeEncoder or RangeDecoder.
template <typename Coder>
class CodeModel {
 public:
  explicit CodeModel(const CodeLayout& layout)
      : below_(layout.zero),
        above_(layout.alphabet - 1 - layout.zero),
        largest_(std::max(below_, above_)),
        decisions_(static_cast<std::uint32_t>(std::min<std::size_t>(largest_, kDecisions))),
        columns_(largest_, kColumnFineBits, decisions_),
        rows_(largest_, kRowFineBits, columns_.end(decisions_)),
        contexts_(rows_.end(columns_.end(decisions_))) {}

  // value: the code minus zero, if the coder is an encoder. Returns the value that was coded.
  [[gnu::always_inline]] int code(Coder& coder, int value, std::uint32_t row_mean,
                                  std::uint32_t column_mean) {
    AdaptiveBit* const context = contexts_.data() + rows_[row_mean] + columns_[column_mean];
    const int magnitude = code_magnitude(coder, context, std::abs(value));
    if (magnitude == 0 || magnitude > below_) {
      return magnitude;
    }
    if (magnitude > above_) {
      return -magnitude;
    }
    AdaptiveBit& sign = signs_[static_cast<std::size_t>(magnitude)];
    const bool negative = coder.code_random(value < 0, sign.probability());
    sign.update(negative);
    return negative ? -magnitude : magnitude;
  }

 private:
  [[gnu::always_inline]] int code_magnitude(Coder& coder, AdaptiveBit* context, int magnitude) {
    // A magnitude cannot be more than largest_: there, nothing is coded.
    const int unary = std::min(kUnary + 1, largest_);
    for (int k = 0; k < unary; ++k) {
      if (!decide(coder, context, static_cast<std::size_t>(k), magnitude > k)) {
        return k;
      }
    }
    return unary == largest_ ? unary : unary + code_rest(coder, context, magnitude - unary);
  }

  // rest: 0...largest_ - kUnary - 1; rest + 1 as an Exp-Golomb code of order 0.
  [[gnu::always_inline]] int code_rest(Coder& coder, AdaptiveBit* context, int rest) {
    const auto number = static_cast<std::uint32_t>(rest + 1);
    const int classes = std::bit_width(static_cast<std::uint32_t>(largest_ - kUnary)) - 1;
    int below = 0;
    while (below < classes && decide(coder, context, static_cast<std::size_t>(1 + kUnary + below),
                                     (number >> below) > 1)) {
      ++below;
    }
    std::uint32_t found = 1;
    for (int place = below - 1; place >= 0; --place) {
      AdaptiveBit& model =
          below - place <= kTreeBits
              ? tree_[static_cast<std::size_t>(below)][found]
              : places_[static_cast<std::size_t>(below)][static_cast<std::size_t>(place)];
      const bool bit = coder.code_random(((number >> place) & 1U) != 0, model.probability());
      model.update(bit);
      found = 2 * found + (bit ? 1 : 0);
    }
    return static_cast<int>(found) - 1;
  }

  // A decision in the context of the code.
  [[gnu::always_inline]] bool decide(Coder& coder, AdaptiveBit* context, std::size_t decision,
                                     bool bit) {
    AdaptiveBit& model = context[decision];
    if (model.seen() < kGrown) [[unlikely]] {
      return decide_young(coder, model, common_[decision], bit);
    }
    return code_bit(coder, model, bit);
  }

  [[gnu::always_inline]] bool decide_young(Coder& coder, AdaptiveBit& model, AdaptiveBit& common,
                                           bool bit) {
    if (model.seen() == 0) {
      model = common.trusted(kInherited);
    }
    const bool found = code_bit(coder, model, bit);
    common.update(found);
    return found;
  }

  // Both outcomes have their own way to the end: few instructions, and what follows need not wait.
  [[gnu::always_inline]] bool code_bit(Coder& coder, AdaptiveBit& model, bool bit) {
    if (coder.code(bit, model.probability())) {
      model.update(true);
      return true;
    }
    model.update(false);
    return false;
  }

  int below_;
  int above_;
  int largest_;
  std::uint32_t decisions_;
  LevelTable columns_;                 // times decisions_
  LevelTable rows_;                    // times the end of columns_
  std::vector<AdaptiveBit> contexts_;  // (row levels, column levels, decisions)
  std::array<AdaptiveBit, kDecisions> common_;
  std::array<AdaptiveBit, 256> signs_;  // by magnitude: centroids need not be symmetric
  std::array<std::array<AdaptiveBit, 1 << kTreeBits>, kClasses> tree_;
  std::array<std::array<AdaptiveBit, kClasses>, kClasses> places_;
};

// Calls code(index, row mean, column mean), which returns the value there, for all codes.
template <typename Code>
[[gnu::always_inline]] inline void walk(std::size_t count, std::size_t columns, Code code) {
  std::uint32_t tensor_mean = kOne;
  std::vector<std::uint32_t> column_means(columns);
  for (std::size_t row = 0; row * columns < count; ++row) {
    std::uint32_t row_mean = tensor_mean;
    std::uint64_t sum = 0;
    const std::int64_t column_rate = rate_behind(row + kColumnPrior);
    for (std::size_t i = 0; i < columns; ++i) {
      std::uint32_t& column_mean = column_means[i];
      if (row == 0) {
        column_mean = row_mean;
      }
      const int value = code(row * columns + i, row_mean, column_mean);
      const std::uint32_t magnitude = static_cast<std::uint32_t>(std::abs(value)) << kMeanBits;
      row_mean = moved(row_mean, magnitude, rate_behind(i + kRowPrior));
      column_mean = moved(column_mean, magnitude, column_rate);
      sum += magnitude;
    }
    const std::int64_t difference = static_cast<std::int64_t>(sum / columns) - tensor_mean;
    tensor_mean = static_cast<std::uint32_t>(
        tensor_mean + difference / static_cast<std::int64_t>(std::min(row + 1, kTensorMemory)));
  }
}

void check(const CodeLayout& layout, std::size_t count) {
  if (layout.columns == 0 || count % layout.columns != 0 || layout.alphabet < 1 ||
      layout.alphabet > 256 || layout.zero < 0 || layout.zero >= layout.alphabet) {
    throw FormatError(std::string(kStream) + ": " + std::to_string(count) + " codes in rows of " +
                      std::to_string(layout.columns) + ", an alphabet of " +
                      std::to_string(layout.alphabet) + " and zero " + std::to_string(layout.zero) +
                      " do not fit together");
  }
}

}  // namespace

std::vector<std::byte> context_encode(std::span<const std::uint8_t> codes,
                                      const CodeLayout& layout) {
  check(layout, codes.size());
  const auto outside =
      std::ranges::find_if(codes, [&](std::uint8_t code) { return code >= layout.alphabet; });
  if (outside != codes.end()) {
    throw FormatError(std::string(kStream) + ": code " + std::to_string(*outside) +
                      " is not in an alphabet of " + std::to_string(layout.alphabet));
  }
  if (codes.empty() || layout.alphabet == 1) {
    return {};
  }
  RangeEncoder encoder;
  CodeModel<RangeEncoder> model(layout);
  walk(codes.size(), layout.columns, [&](std::size_t i, std::uint32_t row, std::uint32_t column) {
    return model.code(encoder, codes[i] - layout.zero, row, column);
  });
  return encoder.finish();
}

std::vector<std::uint8_t> context_decode(std::span<const std::byte> bytes, std::size_t count,
                                         const CodeLayout& layout) {
  check(layout, count);
  if (count == 0 || layout.alphabet == 1) {
    if (!bytes.empty()) {
      throw FormatError(std::string(kStream) + ": " + std::to_string(bytes.size()) +
                        " unexpected trailing bytes");
    }
    return std::vector<std::uint8_t>(count, 0);
  }
  std::vector<std::uint8_t> codes(count);
  RangeDecoder decoder(bytes);
  CodeModel<RangeDecoder> model(layout);
  const int zero = layout.zero;
  const int alphabet = layout.alphabet;
  walk(
      count, layout.columns,
      [&](std::size_t i, std::uint32_t row, std::uint32_t column) __attribute__((always_inline)) {
        if (decoder.exhausted()) {
          RangeDecoder::finish(decoder, kStream);
        }
        const int value = model.code(decoder, 0, row, column);
        const int code = zero + value;
        if (code < 0 || code >= alphabet) {
          throw FormatError(std::string(kStream) + ": element " + std::to_string(i) +
                            " is beyond an alphabet of " + std::to_string(alphabet));
        }
        codes[i] = static_cast<std::uint8_t>(code);
        return value;
      });
  RangeDecoder::finish(decoder, kStream);
  return codes;
}

}  // namespace ltz::formats
