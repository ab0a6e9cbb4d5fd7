// Facts: scalar() and array_reduce() of numpy/_core/src/multiarray, __reduce__ and __setstate__ of
// dtype there, save_bytes() of CPython's Lib/pickle.py.

#include "formats/torch/pickle_numpy.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formats/bytes/bytes.h"
#include "formats/bytes/float16.h"

namespace ltz::formats {
namespace {

using nlohmann::json;

// The module has had two names.
bool is_call_of_multiarray(PickleValue value, const std::string& function) {
  return value.is_call_of("numpy.core.multiarray." + function) ||
         value.is_call_of("numpy._core.multiarray." + function);
}

bool has_items(PickleValue value, std::size_t count) {
  return value.is(PickleType::kTuple) && value.size() >= count;
}

// Text of characters below U+0100, one byte each.
std::optional<std::string> latin1_bytes(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<std::uint8_t>(text[i]);
    if (byte < 0x80) {
      bytes += text[i];
    } else if ((byte == 0xc2 || byte == 0xc3) && i + 1 < text.size()) {
      bytes += static_cast<char>((byte & 3U) << 6 | (static_cast<std::uint8_t>(text[++i]) & 0x3fU));
    } else {
      return std::nullopt;
    }
  }
  return bytes;
}

// Up to protocol 2, Python 3 writes bytes as the call that makes them out of a text; what Python 2
// wrote is a string.
std::optional<std::string> bytes_of(PickleValue value) {
  if (value.is(PickleType::kBytes)) {
    return std::string(value.as_bytes());
  }
  if (value.is(PickleType::kString)) {
    return std::string(value.as_string());
  }
  if (value.is_call_of("_codecs.encode") && has_items(value.arguments(), 1) &&
      value.arguments().item(0).is(PickleType::kString)) {
    return latin1_bytes(value.arguments().item(0).as_string());
  }
  return std::nullopt;
}

struct NumberType {
  char kind = 0;  // b: bool, i and u: integers, f: floats
  std::size_t size = 0;
  bool big_endian = false;
};

std::optional<NumberType> number_type(PickleValue dtype) {
  if (!dtype.is_call_of("numpy.dtype") || !has_items(dtype.arguments(), 1) ||
      !dtype.arguments().item(0).is(PickleType::kString)) {
    return std::nullopt;
  }
  const std::string_view name = dtype.arguments().item(0).as_string();
  if (name.size() != 2 || std::string_view("biuf").find(name[0]) == std::string_view::npos ||
      std::string_view("1248").find(name[1]) == std::string_view::npos) {
    return std::nullopt;
  }
  const PickleValue state = dtype.state();
  const bool has_order = has_items(state, 2) && state.item(1).is(PickleType::kString);
  return NumberType{name[0], static_cast<std::size_t>(name[1] - '0'),
                    has_order && state.item(1).as_string() == ">"};
}

json decode(const NumberType& type, std::string text) {
  if (type.big_endian) {
    std::ranges::reverse(text);
  }
  // Zeros above a shorter number, for one way to read all of them.
  std::vector<std::byte> bytes(8);
  std::ranges::transform(text, bytes.begin(), [](char c) { return static_cast<std::byte>(c); });
  const auto bits = get_integer<std::uint64_t>(bytes.data());
  switch (type.kind) {
    case 'b':
      return bits != 0;
    case 'u':
      return bits >> 63 == 0 ? json(static_cast<std::int64_t>(bits))
                             : json(static_cast<double>(bits));
    case 'i': {
      const auto unused = static_cast<int>(64 - 8 * type.size);
      return static_cast<std::int64_t>(bits << unused) >> unused;
    }
    default:
      return type.size == 8   ? std::bit_cast<double>(bits)
             : type.size == 4 ? std::bit_cast<float>(static_cast<std::uint32_t>(bits))
                              : float16_value(static_cast<std::uint16_t>(bits));
  }
}

std::optional<json> number(PickleValue dtype, PickleValue content) {
  const auto type = number_type(dtype);
  const auto bytes = bytes_of(content);
  const bool fits =
      type && bytes && bytes->size() == type->size && (type->kind != 'f' || type->size > 1);
  return fits ? std::optional(decode(*type, *bytes)) : std::nullopt;
}

}  // namespace

std::optional<json> numpy_number(PickleValue value) {
  if (is_call_of_multiarray(value, "scalar") && has_items(value.arguments(), 2)) {
    return number(value.arguments().item(0), value.arguments().item(1));
  }
  // State: version, shape, type, order, content.
  if (is_call_of_multiarray(value, "_reconstruct") && has_items(value.state(), 5)) {
    return number(value.state().item(2), value.state().item(4));
  }
  return std::nullopt;
}

}  // namespace ltz::formats
