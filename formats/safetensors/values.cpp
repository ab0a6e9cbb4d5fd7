#include "formats/safetensors/values.h"

#include <fmt/format.h>

#include <bit>
#include <optional>
#include <string_view>
#include <utility>

#include "formats/bytes/bytes.h"
#include "formats/bytes/float16.h"
#include "model/base/error.h"

namespace ltz::formats {
namespace {

std::optional<TorchType> torch_type(std::string_view dtype) {
  static constexpr std::pair<std::string_view, TorchType> kTypes[] = {
      {"F32", TorchType::kFloat32}, {"F16", TorchType::kFloat16}, {"BF16", TorchType::kBFloat16},
      {"F64", TorchType::kFloat64}, {"I64", TorchType::kInt64},   {"I32", TorchType::kInt32}};
  for (const auto& [name, type] : kTypes) {
    if (name == dtype) {
      return type;
    }
  }
  return std::nullopt;
}

}  // namespace

const char* dtype_of(Precision precision) {
  switch (precision) {
    case Precision::kFloat16:
      return "F16";
    case Precision::kBFloat16:
      return "BF16";
    default:
      return "F32";
  }
}

void put_values(std::vector<std::byte>& out, std::span<const float> values, Precision precision) {
  for (const float value : values) {
    switch (precision) {
      case Precision::kFloat16:
        put_integer(out, *float16_bits(value));
        break;
      case Precision::kBFloat16:
        put_integer(out, *bfloat16_bits(value));
        break;
      default:
        put_integer(out, std::bit_cast<std::uint32_t>(value));
    }
  }
}

TorchTensor decode_view(const std::string& name, const SafetensorsView& view) {
  const auto type = torch_type(view.dtype);
  if (!type) {
    throw FormatError(fmt::format("tensor {}: expected F64, F32, F16, BF16, I64 or I32, found {}",
                                  name, view.dtype));
  }
  return decode_contiguous(*type, view.shape, view.bytes);
}

}  // namespace ltz::formats
