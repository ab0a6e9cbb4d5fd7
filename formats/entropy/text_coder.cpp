#include "formats/entropy/text_coder.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <string>

#include "formats/entropy/range_coder.h"

namespace ltz::formats {
namespace {

constexpr const char* kStream = "text stream";

// Probabilities p in 2^-12 and their logits ln(p / (1 - p)) in 2^-8.
constexpr int kMostLogit = 2047;
constexpr int kOne = 4096;

// 4096 / (1 + e^(-x / 2)) for x = -16...16, rounded; at least 1 and at most 4095.
constexpr std::array<int, 33> kLogistic = {1,    2,    4,    6,    10,   17,   27,   45,   74,
                                           120,  194,  311,  488,  747,  1102, 1546, 2048, 2550,
                                           2994, 3349, 3608, 3785, 3902, 3976, 4022, 4051, 4069,
                                           4079, 4086, 4090, 4092, 4094, 4095};

// logit: in [-kMostLogit, kMostLogit]. Linear between the points.
constexpr int probability_of(int logit) {
  const int place = logit + 2048;
  const int low = kLogistic[static_cast<std::size_t>(place >> 7)];
  const int high = kLogistic[static_cast<std::size_t>((place >> 7) + 1)];
  return low + (((high - low) * (place & 127) + 64) >> 7);
}

// The least logit of that probability or more.
constexpr std::array<std::int16_t, kOne> kLogits = [] {
  std::array<std::int16_t, kOne> logits{};
  int logit = -kMostLogit;
  for (int probability = 0; probability < kOne; ++probability) {
    while (logit < kMostLogit && probability_of(logit) < probability) {
      ++logit;
    }
    logits[static_cast<std::size_t>(probability)] = static_cast<std::int16_t>(logit);
  }
  return logits;
}();

// The same as a table, by logit + 2048.
constexpr std::array<std::int16_t, kOne> kProbabilities = [] {
  std::array<std::int16_t, kOne> probabilities{};
  for (int logit = -kMostLogit; logit <= kMostLogit; ++logit) {
    probabilities[static_cast<std::size_t>(logit + 2048)] =
        static_cast<std::int16_t>(probability_of(logit));
  }
  return probabilities;
}();

// Lengths of the contexts in bytes: 0 to 4.
constexpr std::size_t kOrders = 5;

// Weights in 2^-16. At first, each prediction counts a third: five that agree are surer than one.
constexpr int kFirstWeight = 22000;
constexpr int kMostWeight = 1 << 20;
// How fast they learn.
constexpr int kRate = 6;
constexpr int kRateShift = 14;

// The models of the four bits of half a byte behind one context: 1 + 2 + 4 + 8, one cache line.
using Line = std::array<AdaptiveBit, 16>;

// Lines of a table: one for two to four bytes of the text, 2^6 to 2^16.
int line_bits(std::size_t size) {
  return std::clamp(static_cast<int>(std::bit_width(size)) - 2, 6, 16);
}

template <typename Coder>
class TextModel {
 public:
  explicit TextModel(std::size_t size) : line_bits_(line_bits(size)) {
    for (auto& lines : lines_) {
      lines.resize(std::size_t{1} << line_bits_);
    }
    for (auto& weights : weights_) {
      weights.fill(kFirstWeight);
    }
  }

  // byte: what is coded, if the coder is an encoder. Returns what was coded.
  [[gnu::always_inline]] std::uint8_t code(Coder& coder, std::uint8_t byte) {
    std::uint32_t found = 1;
    for (int place = 7; place >= 0; --place) {
      if (place % 4 == 3) {
        find_lines(place == 7 ? 0 : found);
      }
      const std::uint32_t node = place >= 4 ? found : (found & ((8U >> place) - 1)) | (8U >> place);
      found = 2 * found + (code_bit(coder, ((byte >> place) & 1) != 0, found, node) ? 1 : 0);
    }
    history_ = (history_ << 8) | (found & 0xFFU);
    return static_cast<std::uint8_t>(found);
  }

 private:
  // half: 0 for the upper half of a byte; for the lower one, 16 + the upper one.
  void find_lines(std::uint32_t half) {
    for (std::size_t order = 1; order < kOrders; ++order) {
      const std::uint32_t context = history_ & (~0U >> (32 - 8 * order));
      std::uint32_t hash = context * 0x9E3779B1U + half * 0x85EBCA6BU;
      hash ^= hash >> 15;
      hash *= 0xC2B2AE35U;
      current_[order - 1] = &lines_[order - 1][hash >> (32 - line_bits_)];
    }
  }

  // found: the bits of the byte so far, behind a one; node: those of its half.
  [[gnu::always_inline]] bool code_bit(Coder& coder, bool bit, std::uint32_t found,
                                       std::uint32_t node) {
    std::array<AdaptiveBit*, kOrders> models;
    models[0] = &bytes_[found];
    for (std::size_t order = 1; order < kOrders; ++order) {
      models[order] = &(*current_[order - 1])[node];
    }
    auto& weights = weights_[found];
    std::array<int, kOrders> logits;
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < kOrders; ++i) {
      // A model that has seen nothing says nothing: its logit is 0.
      logits[i] = kLogits[models[i]->mean() >> 10];
      sum += static_cast<std::int64_t>(weights[i]) * logits[i];
    }
    const auto logit =
        static_cast<int>(std::clamp<std::int64_t>(sum >> 16, -kMostLogit, kMostLogit));
    const int probability = kProbabilities[static_cast<std::size_t>(logit + 2048)];
    const bool found_bit = coder.code(bit, std::clamp(static_cast<std::uint32_t>(probability) << 4,
                                                      kLeastProbability, kMostProbability));
    const int error = ((found_bit ? kOne : 0) - probability) * kRate;
    for (std::size_t i = 0; i < kOrders; ++i) {
      const int step = (logits[i] * error + (1 << (kRateShift - 1))) >> kRateShift;
      weights[i] = std::clamp(weights[i] + step, -kMostWeight, kMostWeight);
      models[i]->update(found_bit);
    }
    return found_bit;
  }

  int line_bits_;
  std::uint32_t history_ = 0;  // the last four bytes, the last one lowest
  std::array<AdaptiveBit, 256> bytes_;
  std::array<std::vector<Line>, kOrders - 1> lines_;
  std::array<Line*, kOrders - 1> current_{};
  std::array<std::array<int, kOrders>, 256> weights_;
};

}  // namespace

std::vector<std::byte> text_encode(std::span<const std::byte> text) {
  if (text.size() > kMaxTextSize) {
    throw FormatError(std::string(kStream) + ": expected at most " + std::to_string(kMaxTextSize) +
                      " bytes, found " + std::to_string(text.size()));
  }
  if (text.empty()) {
    return {};
  }
  RangeEncoder encoder;
  TextModel<RangeEncoder> model(text.size());
  for (const std::byte byte : text) {
    model.code(encoder, static_cast<std::uint8_t>(byte));
  }
  return encoder.finish();
}

std::vector<std::byte> text_decode(std::span<const std::byte> bytes, std::size_t size) {
  if (size > kMaxTextSize) {
    throw FormatError(std::string(kStream) + ": expected at most " + std::to_string(kMaxTextSize) +
                      " bytes, found " + std::to_string(size));
  }
  if (size == 0) {
    if (!bytes.empty()) {
      throw FormatError(std::string(kStream) + ": " + std::to_string(bytes.size()) +
                        " unexpected trailing bytes");
    }
    return {};
  }
  RangeDecoder decoder(bytes);
  TextModel<RangeDecoder> model(size);
  std::vector<std::byte> text(size);
  for (std::byte& byte : text) {
    byte = static_cast<std::byte>(model.code(decoder, 0));
    if (decoder.exhausted()) {
      break;
    }
  }
  RangeDecoder::finish(decoder, kStream);
  return text;
}

}  // namespace ltz::formats
