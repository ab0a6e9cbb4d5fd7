#include "formats/entropy/float_coder.h"

#include <array>
#include <string>

#include "formats/entropy/range_coder.h"

namespace ltz::formats {
namespace {

constexpr int kBits = 16;
// The upper bits are a tree: each has a model for every value of those above it. Nine are sign and
// exponent of a bfloat16, and three bits of the fraction of a float16; more of them learn more
// slowly than tensors of some hundred values allow.
constexpr int kTreeBits = 9;

template <typename Coder>
class FloatModel {
 public:
  // value: what is coded, if the coder is an encoder. Returns what was coded.
  [[gnu::always_inline]] std::uint16_t code(Coder& coder, std::uint16_t value) {
    std::uint32_t found = 1;
    for (int place = kBits - 1; place >= 0; --place) {
      AdaptiveBit& model =
          place >= kBits - kTreeBits ? tree_[found] : places_[static_cast<std::size_t>(place)];
      // All bits take the same way, whatever they are.
      const bool bit = coder.code_random(((value >> place) & 1) != 0, model.probability());
      model.update(bit);
      found = 2 * found + (bit ? 1 : 0);
    }
    return static_cast<std::uint16_t>(found);
  }

 private:
  std::array<AdaptiveBit, 1 << kTreeBits> tree_;
  std::array<AdaptiveBit, kBits - kTreeBits> places_;
};

}  // namespace

std::vector<std::byte> float_encode(std::span<const std::uint16_t> bits) {
  if (bits.empty()) {
    return {};
  }
  RangeEncoder encoder;
  FloatModel<RangeEncoder> model;
  for (const std::uint16_t value : bits) {
    model.code(encoder, value);
  }
  return encoder.finish();
}

std::vector<std::uint16_t> float_decode(std::span<const std::byte> bytes, std::size_t count) {
  if (count == 0) {
    if (!bytes.empty()) {
      throw FormatError("float stream: " + std::to_string(bytes.size()) +
                        " unexpected trailing bytes");
    }
    return {};
  }
  RangeDecoder decoder(bytes);
  FloatModel<RangeDecoder> model;
  std::vector<std::uint16_t> bits(count);
  for (std::uint16_t& value : bits) {
    value = model.code(decoder, 0);
    if (decoder.exhausted()) {
      break;
    }
  }
  RangeDecoder::finish(decoder, "float stream");
  return bits;
}

}  // namespace ltz::formats
