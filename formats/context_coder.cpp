#include "formats/context_coder.h"

#include <algorithm>
#include <array>
#include <bit>
#include <string>

#include "formats/range_coder.h"

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

struct Column {
  std::uint32_t mean;
  std::uint32_t level;
};

// The model, for one direction; Coder: RangeEncoder or RangeDecoder.
template <typename Coder>
class CodeModel {
 public:
  CodeModel(const CodeLayout& layout, Coder& coder)
      : coder_(coder),
        below_(layout.zero),
        above_(layout.alphabet - 1 - layout.zero),
        largest_(std::max(below_, above_)),
        column_levels_(1 + level(static_cast<std::uint32_t>(largest_) << 16, kColumnFineBits)),
        decisions_(std::min(static_cast<std::size_t>(largest_), kDecisions)) {
    const std::size_t row_levels =
        1 + level(static_cast<std::uint32_t>(largest_) << 16, kRowFineBits);
    contexts_.resize(row_levels * column_levels_ * decisions_);
  }

  // value: the code minus zero, if the coder is an encoder. Returns the value that was coded.
  int code(int value, std::uint32_t row_level, std::uint32_t column_level) {
    context_ = contexts_.data() + (row_level * column_levels_ + column_level) * decisions_;
    const int magnitude = code_magnitude(std::abs(value));
    if (magnitude == 0 || magnitude > below_) {
      return magnitude;
    }
    if (magnitude > above_) {
      return -magnitude;
    }
    AdaptiveBit& sign = signs_[static_cast<std::size_t>(magnitude)];
    return code_bit(sign, value < 0) ? -magnitude : magnitude;
  }

 private:
  int code_magnitude(int magnitude) {
    // A magnitude cannot be more than largest_: there, nothing is coded.
    const int unary = std::min(kUnary + 1, largest_);
    for (int k = 0; k < unary; ++k) {
      if (!decide(static_cast<std::size_t>(k), magnitude > k)) {
        return k;
      }
    }
    return unary == largest_ ? unary : unary + code_rest(magnitude - unary);
  }

  // rest: 0...largest_ - kUnary - 1; rest + 1 as an Exp-Golomb code of order 0.
  int code_rest(int rest) {
    const auto number = static_cast<std::uint32_t>(rest + 1);
    const int classes = std::bit_width(static_cast<std::uint32_t>(largest_ - kUnary)) - 1;
    int below = 0;
    while (below < classes &&
           decide(static_cast<std::size_t>(1 + kUnary + below), (number >> below) > 1)) {
      ++below;
    }
    std::uint32_t found = 1;
    for (int place = below - 1; place >= 0; --place) {
      const bool bit = ((number >> place) & 1U) != 0;
      AdaptiveBit& model =
          below - place <= kTreeBits
              ? tree_[static_cast<std::size_t>(below)][found]
              : places_[static_cast<std::size_t>(below)][static_cast<std::size_t>(place)];
      found = 2 * found + (code_bit(model, bit) ? 1 : 0);
    }
    return static_cast<int>(found) - 1;
  }

  // A decision in the context of the code.
  bool decide(std::size_t decision, bool bit) {
    AdaptiveBit& model = context_[decision];
    if (model.seen() >= kGrown) {
      return code_bit(model, bit);
    }
    AdaptiveBit& common = common_[decision];
    if (model.seen() == 0) {
      model = common.trusted(kInherited);
    }
    const bool found = code_bit(model, bit);
    common.update(found);
    return found;
  }

  bool code_bit(AdaptiveBit& model, bool bit) {
    const bool found = coder_.code(bit, model.probability());
    model.update(found);
    return found;
  }

  Coder& coder_;
  int below_;
  int above_;
  int largest_;
  std::size_t column_levels_;
  std::size_t decisions_;
  std::vector<AdaptiveBit> contexts_;  // (row levels, column levels, decisions)
  AdaptiveBit* context_ = nullptr;
  std::array<AdaptiveBit, kDecisions> common_;
  std::array<AdaptiveBit, 256> signs_;  // by magnitude: centroids need not be symmetric
  std::array<std::array<AdaptiveBit, 1 << kTreeBits>, kClasses> tree_;
  std::array<std::array<AdaptiveBit, kClasses>, kClasses> places_;
};

// Calls code(index, row level, column level), which returns the value there, for all codes.
template <typename Code>
void walk(std::size_t count, std::size_t columns, Code code) {
  std::uint32_t tensor_mean = kOne;
  std::vector<Column> column(columns);
  for (std::size_t row = 0; row * columns < count; ++row) {
    std::uint32_t row_mean = tensor_mean;
    std::uint64_t sum = 0;
    const std::int64_t column_rate = rate_behind(row + kColumnPrior);
    for (std::size_t i = 0; i < columns; ++i) {
      if (row == 0) {
        column[i] = {row_mean, level(row_mean, kColumnFineBits)};
      }
      const int value = code(row * columns + i, level(row_mean, kRowFineBits), column[i].level);
      const std::uint32_t magnitude = static_cast<std::uint32_t>(std::abs(value)) << kMeanBits;
      row_mean = moved(row_mean, magnitude, rate_behind(i + kRowPrior));
      column[i].mean = moved(column[i].mean, magnitude, column_rate);
      column[i].level = level(column[i].mean, kColumnFineBits);
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
  CodeModel<RangeEncoder> model(layout, encoder);
  walk(codes.size(), layout.columns, [&](std::size_t i, std::uint32_t row, std::uint32_t column) {
    return model.code(codes[i] - layout.zero, row, column);
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
  CodeModel<RangeDecoder> model(layout, decoder);
  walk(count, layout.columns, [&](std::size_t i, std::uint32_t row, std::uint32_t column) {
    if (decoder.exhausted()) {
      decoder.finish(kStream);
    }
    const int value = model.code(0, row, column);
    const int code = layout.zero + value;
    if (code < 0 || code >= layout.alphabet) {
      throw FormatError(std::string(kStream) + ": element " + std::to_string(i) +
                        " is beyond an alphabet of " + std::to_string(layout.alphabet));
    }
    codes[i] = static_cast<std::uint8_t>(code);
    return value;
  });
  decoder.finish(kStream);
  return codes;
}

}  // namespace ltz::formats
