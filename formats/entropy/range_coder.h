#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "formats/bytes/bytes.h"

namespace ltz::formats {

// Adaptive binary arithmetic coding (range coder after Martin 1979, with 64-bit bounds so that it
// renormalises a 32-bit word at a time). Integers only: the same bytes on every machine. LTZ.md,
// "Coded bits".

// Probabilities of one bits are handed to the coder in units of 2^-16.
inline constexpr int kProbabilityBits = 16;
// None is so sure that a surprise would cost more than 11 bits.
inline constexpr std::uint32_t kLeastProbability = 32;
inline constexpr std::uint32_t kMostProbability = (1U << kProbabilityBits) - kLeastProbability;

// How likely a bit is to be one, learned from those before it: the mean of all bits for as long as
// it has seen few, an exponentially decaying one from kMostSeen on.
class AdaptiveBit {
 public:
  static constexpr std::uint32_t kMostSeen = 1023;

  // 2^-16 kLeastProbability ... 2^-16 kMostProbability.
  [[gnu::always_inline]] std::uint32_t probability() const {
    const std::uint32_t probability = state_ >> 16;
    if (probability - kLeastProbability > kMostProbability - kLeastProbability) [[unlikely]] {
      return probability < kLeastProbability ? kLeastProbability : kMostProbability;
    }
    return probability;
  }

  // The same in 2^-22, without bounds.
  std::uint32_t mean() const { return state_ >> 10; }

  [[gnu::always_inline]] void update(bool bit) {
    const std::uint32_t count = seen();
    const std::int64_t old = mean();
    const std::int64_t target = -static_cast<std::int64_t>(bit) & ((1 << 22) - 1);
    const std::int64_t step = ((target - old) * kRates[count]) >> 16;
    state_ += (static_cast<std::uint32_t>(step) << 10) + (count < kMostSeen ? 1 : 0);
  }

  // Bits seen so far, at most kMostSeen.
  std::uint32_t seen() const { return state_ & 1023U; }

  // The same probability, to be held as if it came from at most `most` bits.
  AdaptiveBit trusted(std::uint32_t most) const {
    AdaptiveBit bit;
    bit.state_ = (state_ & ~1023U) | std::min(seen(), most);
    return bit;
  }

 private:
  // 2^16 / (n + 1.5): the Krichevsky-Trofimov estimator's step behind n bits is close to it.
  static constexpr std::array<std::int32_t, kMostSeen + 1> kRates = [] {
    std::array<std::int32_t, kMostSeen + 1> rates{};
    for (std::size_t n = 0; n < rates.size(); ++n) {
      rates[n] = static_cast<std::int32_t>((1U << 17) / (2 * n + 3));
    }
    return rates;
  }();

  std::uint32_t state_ = 1U << 31;  // upper 22 bits: probability; lower 10: bits seen
};

// Both coders have code(bit, probability), so that a model is written once for both: the encoder
// gives back the bit that it was given, the decoder the one that it found.
class RangeEncoder {
 public:
  // probability: of a one, in [1, 2^16).
  bool code(bool bit, std::uint32_t probability) {
    const std::uint64_t bound = (range_ >> kProbabilityBits) * probability;
    if (bit) {
      range_ = bound;
    } else {
      low_ += bound;
      if (low_ < bound) {
        carry();
      }
      range_ -= bound;
    }
    if (range_ < kLowest) {
      words_.push_back(static_cast<std::uint32_t>(low_ >> 32));
      low_ <<= 32;
      range_ <<= 32;
    }
    return bit;
  }

  bool code_random(bool bit, std::uint32_t probability) { return code(bit, probability); }

  // The bytes of all bits. The encoder must not be used afterwards.
  std::vector<std::byte> finish();

 private:
  static constexpr std::uint64_t kLowest = std::uint64_t{1} << 32;

  // The sum has left its 64 bits. What is written was never all ones, so that a word takes it.
  void carry() {
    for (std::size_t i = words_.size(); i-- > 0 && ++words_[i] == 0;) {
    }
  }

  std::uint64_t low_ = 0;
  std::uint64_t range_ = ~std::uint64_t{0};
  std::vector<std::uint32_t> words_;
};

// Decodes without reading beyond the end: zeros follow there, and finish() tells. Everything that
// is called per bit is inlined and finish() takes a copy, so that a compiler can keep a local
// decoder in registers; millions of bits follow each other here, each waiting for the one before
// it.
class RangeDecoder {
 public:
  // bytes: of RangeEncoder::finish(); must outlive the decoder.
  explicit RangeDecoder(std::span<const std::byte> bytes)
      : next_(bytes.data()), left_(bytes.size()) {
    offset_ = word();
    offset_ = (offset_ << 32) | word();
  }

  // As RangeEncoder::code(); the first argument is ignored. For bits that are often as expected and
  // decide what comes next: both outcomes have their own way.
  [[gnu::always_inline]] bool code(bool /*bit*/, std::uint32_t probability) {
    normalise();
    const std::uint64_t bound = (range_ >> kProbabilityBits) * probability;
    if (offset_ < bound) {
      range_ = bound;
      return true;
    }
    offset_ -= bound;
    range_ -= bound;
    return false;
  }

  // The same without a branch: for bits that are as good as random, like signs.
  [[gnu::always_inline]] bool code_random(bool /*bit*/, std::uint32_t probability) {
    normalise();
    const std::uint64_t bound = (range_ >> kProbabilityBits) * probability;
    const bool bit = offset_ < bound;
    const std::uint64_t zero = bit ? 0 : ~std::uint64_t{0};
    range_ = bound ^ ((bound ^ (range_ - bound)) & zero);
    offset_ -= bound & zero;
    return bit;
  }

  // Whether more bits were decoded than there are.
  bool exhausted() const { return missing_ > 1; }

  // Throws FormatError, "<what>: ...", unless all bytes were used, and no more, and the last ones
  // are those that the encoder writes.
  static void finish(RangeDecoder decoder, const char* what);

 private:
  static constexpr std::uint64_t kLowest = std::uint64_t{1} << 32;

  // As the encoder does behind each bit; here, before the next one.
  void normalise() {
    if (range_ < kLowest) {
      offset_ = (offset_ << 32) | word();
      range_ <<= 32;
    }
  }

  std::uint32_t word() {
    if (left_ < 4) {
      ++missing_;
      return 0;
    }
    const auto value = get_integer<std::uint32_t>(next_);
    next_ += 4;
    left_ -= 4;
    return value;
  }

  std::uint64_t offset_ = 0;  // of the coded number from the interval's lower bound
  std::uint64_t range_ = ~std::uint64_t{0};
  const std::byte* next_;
  std::size_t left_;
  std::size_t missing_ = 0;  // words that were needed beyond the end
};

}  // namespace ltz::formats
