#include "formats/ltz/payload.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <utility>

#include "formats/bytes/bytes.h"
#include "formats/bytes/float16.h"
#include "formats/bytes/tensor_checks.h"
#include "formats/entropy/context_coder.h"
#include "formats/entropy/float_coder.h"
#include "formats/entropy/rans.h"
#include "formats/ltz/row_scales.h"

namespace ltz::formats {
namespace {

// The bits of a float16, renumbered so that the numbers ascend with the values, and back:
// neighbouring centroids then have small differences.
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

// What the bytes of a kind are.
struct KindTraits {
  bool codebook = false;                      // else plain floats
  Precision precision = Precision::kFloat32;  // of the floats or the centroids
  bool coded = false;  // floats by the float coder; codes with contexts, not by rANS
  bool row_scales = false;

  bool operator==(const KindTraits&) const = default;
};

// By number; of two that differ in `coded` only, the faster to decode comes first.
constexpr std::array<KindTraits, kPayloadKinds> kKinds = {{
    {.precision = Precision::kFloat32},
    {.precision = Precision::kFloat16},
    {.codebook = true, .precision = Precision::kFloat32},
    {.codebook = true, .precision = Precision::kFloat16},
    {.precision = Precision::kBFloat16},
    {.codebook = true, .precision = Precision::kFloat32, .coded = true},
    {.codebook = true, .precision = Precision::kFloat16, .coded = true},
    {.precision = Precision::kFloat16, .coded = true},
    {.precision = Precision::kBFloat16, .coded = true},
    {.codebook = true, .precision = Precision::kFloat32, .row_scales = true},
    {.codebook = true, .precision = Precision::kFloat16, .row_scales = true},
    {.codebook = true, .precision = Precision::kFloat32, .coded = true, .row_scales = true},
    {.codebook = true, .precision = Precision::kFloat16, .coded = true, .row_scales = true},
}};

const KindTraits& traits_of(PayloadKind kind) {
  return kKinds[static_cast<std::size_t>(kind)];
}

// Rows are along the last dimension; magnitudes count from the centroid next to zero, of two the
// lower.
CodeLayout layout_of(const Shape& shape, std::span<const float> centroids) {
  const auto nearest =
      std::ranges::min_element(centroids, {}, [](float centroid) { return std::fabs(centroid); });
  const std::int64_t columns = shape.empty() ? 1 : shape.back();
  return {static_cast<std::size_t>(std::max<std::int64_t>(columns, 1)),
          static_cast<int>(std::max<std::size_t>(centroids.size(), 1)),
          static_cast<int>(nearest - centroids.begin())};
}

void put_codebook(std::vector<std::byte>& out, const Tensor& tensor, PayloadKind kind) {
  const auto& quantized = std::get<QuantizedValues>(tensor.data);
  // A codebook without elements would be a codebook for nothing.
  const auto centroids = std::span<const float>(quantized.centroids)
                             .first(quantized.codes.empty() ? 0 : quantized.centroids.size());
  put_varint(out, centroids.size());
  const KindTraits& traits = traits_of(kind);
  if (traits.precision == Precision::kFloat16) {
    put_centroids16(out, centroids);
  } else {
    std::ranges::for_each(centroids, [&](float value) { put_float32(out, value); });
  }
  if (traits.row_scales) {
    put_row_scales(out, quantized.row_scales);
  }
  put_bytes(out, traits.coded ? context_encode(quantized.codes, layout_of(tensor.shape, centroids))
                              : rans_encode(quantized.codes, static_cast<int>(centroids.size())));
}

QuantizedValues decode_codebook(std::span<const std::byte> bytes, const Shape& shape,
                                PayloadKind kind) {
  const auto count = static_cast<std::size_t>(element_count(shape));
  ByteReader reader(bytes, "payload");
  QuantizedValues quantized;
  const std::uint64_t levels = reader.varint();
  if (levels > 256 || (levels == 0) != (count == 0)) {
    reader.fail("codebook: expected 1 to 256 centroids (none for an empty tensor), found " +
                std::to_string(levels));
  }
  const KindTraits& traits = traits_of(kind);
  if (traits.precision == Precision::kFloat16) {
    quantized.centroids = get_centroids16(reader, static_cast<std::size_t>(levels));
  } else {
    for (std::uint64_t i = 0; i < levels; ++i) {
      quantized.centroids.push_back(std::bit_cast<float>(reader.integer<std::uint32_t>()));
    }
  }
  check_centroids(quantized.centroids);
  if (traits.row_scales) {
    const auto rows = static_cast<std::size_t>(row_count(shape));
    quantized.row_scales = get_row_scales(reader, rows);
  }
  const auto stream = reader.take(reader.remaining());
  quantized.codes = traits.coded
                        ? context_decode(stream, count, layout_of(shape, quantized.centroids))
                        : rans_decode(stream, count, static_cast<int>(levels));
  return quantized;
}

// The 16 bits of a float, and back.
std::uint16_t bits16(float value, Precision precision) {
  return precision == Precision::kFloat16 ? *float16_bits(value) : *bfloat16_bits(value);
}

float value16(std::uint16_t bits, Precision precision) {
  return precision == Precision::kFloat16 ? float16_value(bits) : bfloat16_value(bits);
}

void put_floats(std::vector<std::byte>& out, const DenseValues& dense, PayloadKind kind) {
  const KindTraits& traits = traits_of(kind);
  if (traits.precision == Precision::kFloat32) {
    std::ranges::for_each(dense.values, [&](float value) { put_float32(out, value); });
    return;
  }
  std::vector<std::uint16_t> bits(dense.values.size());
  std::ranges::transform(dense.values, bits.begin(),
                         [&](float value) { return bits16(value, dense.precision); });
  if (traits.coded) {
    put_bytes(out, float_encode(bits));
  } else {
    std::ranges::for_each(bits, [&](std::uint16_t value) { put_integer(out, value); });
  }
}

void check_size(std::span<const std::byte> bytes, const Shape& shape, std::size_t width) {
  const auto count = static_cast<std::size_t>(element_count(shape));
  if (bytes.size() % width != 0 || bytes.size() / width != count) {
    throw FormatError("payload: expected " + std::to_string(count) + " elements of " +
                      std::to_string(width) + " bytes for shape " + to_string(shape) + ", found " +
                      std::to_string(bytes.size()) + " bytes");
  }
}

std::vector<float> get_floats32(std::span<const std::byte> bytes, const Shape& shape) {
  check_size(bytes, shape, 4);
  std::vector<float> values(bytes.size() / 4);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = std::bit_cast<float>(get_integer<std::uint32_t>(bytes.data() + 4 * i));
  }
  return values;
}

std::vector<float> get_floats16(std::span<const std::byte> bytes, const Shape& shape,
                                Precision precision) {
  check_size(bytes, shape, 2);
  std::vector<float> values(bytes.size() / 2);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = value16(get_integer<std::uint16_t>(bytes.data() + 2 * i), precision);
  }
  return values;
}

std::vector<float> get_coded_floats(std::span<const std::byte> bytes, const Shape& shape,
                                    Precision precision) {
  const auto bits = float_decode(bytes, static_cast<std::size_t>(element_count(shape)));
  std::vector<float> values(bits.size());
  std::ranges::transform(bits, values.begin(),
                         [&](std::uint16_t value) { return value16(value, precision); });
  return values;
}

// What a kind must be to hold the tensor exactly; `coded` is left open.
KindTraits traits_for(const Tensor& tensor) {
  if (const auto* dense = std::get_if<DenseValues>(&tensor.data)) {
    return {.precision = dense->precision};
  }
  const auto& quantized = std::get<QuantizedValues>(tensor.data);
  const bool exact = std::ranges::all_of(
      quantized.centroids, [](float value) { return float16_bits(value).has_value(); });
  return {.codebook = true,
          .precision = exact ? Precision::kFloat16 : Precision::kFloat32,
          .row_scales = !quantized.row_scales.empty()};
}

// Kinds that can hold the tensor exactly, the faster to decode first.
std::vector<PayloadKind> possible_kinds(const Tensor& tensor) {
  const KindTraits wanted = traits_for(tensor);
  std::vector<PayloadKind> kinds;
  for (std::uint8_t number = 0; number < kPayloadKinds; ++number) {
    KindTraits traits = kKinds[number];
    traits.coded = false;
    if (traits == wanted) {
      kinds.push_back(static_cast<PayloadKind>(number));
    }
  }
  return kinds;
}

}  // namespace

Payload encode_payload(const Tensor& tensor) {
  // What a slower kind must save.
  constexpr std::size_t kPercent = 1;
  const std::vector<PayloadKind> kinds = possible_kinds(tensor);
  Payload best;
  for (const PayloadKind kind : kinds) {
    std::vector<std::byte> bytes = encode_payload(tensor, kind);
    if (kind == kinds.front() || 100 * bytes.size() < (100 - kPercent) * best.bytes.size()) {
      best = {kind, std::move(bytes)};
    }
  }
  return best;
}

std::vector<std::byte> encode_payload(const Tensor& tensor, PayloadKind kind) {
  std::vector<std::byte> out;
  if (tensor.quantized()) {
    put_codebook(out, tensor, kind);
  } else {
    put_floats(out, std::get<DenseValues>(tensor.data), kind);
  }
  return out;
}

Tensor decode_payload(std::span<const std::byte> bytes, const Shape& shape, PayloadKind kind) {
  const KindTraits& traits = traits_of(kind);
  if (traits.codebook) {
    return Tensor{shape, decode_codebook(bytes, shape, kind)};
  }
  if (traits.precision == Precision::kFloat32) {
    return dense_tensor(shape, get_floats32(bytes, shape));
  }
  return dense_tensor(shape,
                      traits.coded ? get_coded_floats(bytes, shape, traits.precision)
                                   : get_floats16(bytes, shape, traits.precision),
                      traits.precision);
}

}  // namespace ltz::formats
