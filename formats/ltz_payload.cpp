#include "formats/ltz_payload.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "formats/ltz_bytes.h"
#include "formats/ltz_float16.h"
#include "formats/rans.h"
#include "formats/tensor_checks.h"

namespace ltz::formats {
namespace {

// Bits of a float16 renumbered so that the numbers ascend with the values, and back (its own
// inverse but for the direction): neighbouring centroids then have small differences.
std::uint16_t to_rank(std::uint16_t bits) {
  return static_cast<std::uint16_t>((bits & 0x8000U) != 0 ? 0xFFFFU - bits : bits | 0x8000U);
}
std::uint16_t from_rank(std::uint16_t rank) {
  return static_cast<std::uint16_t>((rank & 0x8000U) != 0 ? rank & 0x7FFFU : 0xFFFFU - rank);
}

void put_float32(std::vector<std::byte>& out, float value) {
  put_integer(out, std::bit_cast<std::uint32_t>(value));
}

void put_centroids16(std::vector<std::byte>& out, std::span<const float> centroids) {
  std::uint16_t previous = 0;
  for (std::size_t i = 0; i < centroids.size(); ++i) {
    const std::uint16_t rank = to_rank(*float16_bits(centroids[i]));
    if (i == 0) {
      put_integer(out, rank);
    } else {
      put_varint(out, static_cast<std::uint64_t>(rank - previous));
    }
    previous = rank;
  }
}

std::vector<float> get_centroids16(ByteReader& reader, std::size_t count) {
  std::vector<float> centroids;
  std::uint64_t rank = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t step = i == 0 ? reader.integer<std::uint16_t>() : reader.varint();
    if (step > 0xFFFFU - rank) {
      reader.fail("codebook: centroid " + std::to_string(i) + " is beyond the range of float16");
    }
    rank += step;
    centroids.push_back(float16_value(from_rank(static_cast<std::uint16_t>(rank))));
  }
  return centroids;
}

Precision precision_of(PayloadKind kind) {
  switch (kind) {
    case PayloadKind::kFloat16:
      return Precision::kFloat16;
    case PayloadKind::kBFloat16:
      return Precision::kBFloat16;
    default:
      return Precision::kFloat32;
  }
}

float get_float(const std::byte* bytes, Precision precision) {
  switch (precision) {
    case Precision::kFloat16:
      return float16_value(get_integer<std::uint16_t>(bytes));
    case Precision::kBFloat16:
      return bfloat16_value(get_integer<std::uint16_t>(bytes));
    default:
      return std::bit_cast<float>(get_integer<std::uint32_t>(bytes));
  }
}

QuantizedValues decode_codebook(std::span<const std::byte> bytes, std::size_t count,
                                PayloadKind kind) {
  ByteReader reader(bytes, "payload");
  QuantizedValues quantized;
  const std::uint64_t levels = reader.varint();
  if (levels > 256 || (levels == 0) != (count == 0)) {
    reader.fail("codebook: expected 1 to 256 centroids (none for an empty tensor), found " +
                std::to_string(levels));
  }
  if (kind == PayloadKind::kCodebook16) {
    quantized.centroids = get_centroids16(reader, levels);
  } else {
    for (std::uint64_t i = 0; i < levels; ++i) {
      quantized.centroids.push_back(std::bit_cast<float>(reader.integer<std::uint32_t>()));
    }
  }
  check_centroids(quantized.centroids);
  quantized.codes = rans_decode(reader.take(reader.remaining()), count, static_cast<int>(levels));
  return quantized;
}

}  // namespace

PayloadKind payload_kind(const Tensor& tensor) {
  if (const auto* quantized = std::get_if<QuantizedValues>(&tensor.data)) {
    const bool exact = std::ranges::all_of(
        quantized->centroids, [](float value) { return float16_bits(value).has_value(); });
    return exact ? PayloadKind::kCodebook16 : PayloadKind::kCodebook32;
  }
  switch (std::get<DenseValues>(tensor.data).precision) {
    case Precision::kFloat16:
      return PayloadKind::kFloat16;
    case Precision::kBFloat16:
      return PayloadKind::kBFloat16;
    default:
      return PayloadKind::kFloat32;
  }
}

std::vector<std::byte> encode_payload(const Tensor& tensor) {
  std::vector<std::byte> out;
  const PayloadKind kind = payload_kind(tensor);
  if (const auto* quantized = std::get_if<QuantizedValues>(&tensor.data)) {
    // A codebook without elements would be a codebook for nothing.
    const auto centroids = std::span<const float>(quantized->centroids)
                               .first(quantized->codes.empty() ? 0 : quantized->centroids.size());
    put_varint(out, centroids.size());
    if (kind == PayloadKind::kCodebook16) {
      put_centroids16(out, centroids);
    } else {
      std::ranges::for_each(centroids, [&](float value) { put_float32(out, value); });
    }
    put_bytes(out, rans_encode(quantized->codes, static_cast<int>(centroids.size())));
    return out;
  }
  for (const float value : std::get<DenseValues>(tensor.data).values) {
    if (kind == PayloadKind::kFloat16) {
      put_integer(out, *float16_bits(value));
    } else if (kind == PayloadKind::kBFloat16) {
      put_integer(out, *bfloat16_bits(value));
    } else {
      put_float32(out, value);
    }
  }
  return out;
}

Tensor decode_payload(std::span<const std::byte> bytes, const Shape& shape, PayloadKind kind) {
  const auto count = static_cast<std::size_t>(element_count(shape));
  if (kind == PayloadKind::kCodebook32 || kind == PayloadKind::kCodebook16) {
    return Tensor{shape, decode_codebook(bytes, count, kind)};
  }
  const Precision precision = precision_of(kind);
  const auto width = static_cast<std::size_t>(bits_of(precision) / 8);
  if (bytes.size() % width != 0 || bytes.size() / width != count) {
    throw FormatError("payload: expected " + std::to_string(count) + " elements of " +
                      std::to_string(width) + " bytes for shape " + to_string(shape) + ", found " +
                      std::to_string(bytes.size()) + " bytes");
  }
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::byte* element = bytes.data() + i * width;
    values[i] = get_float(element, precision);
  }
  return dense_tensor(shape, std::move(values), precision);
}

}  // namespace ltz::formats
