#include "formats/ltz/row_scales.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <random>

#include "formats/entropy/context_coder.h"
#include "formats/hdf5/hdf5.h"
#include "formats/ltz/ltz.h"
#include "formats/ltz/payload.h"
#include "formats/safetensors/checkpoint.h"
#include "tests/support/check_checkpoint.h"
#include "tests/support/tiny_checkpoint.h"

namespace ltz::formats {
namespace {

using Catch::Matchers::Contains;
using Bytes = std::vector<std::byte>;
using Scales = std::vector<std::uint8_t>;

constexpr PayloadKind kScaledKinds[] = {
    PayloadKind::kScaledCodebook32, PayloadKind::kScaledCodebook16, PayloadKind::kScaledContext32,
    PayloadKind::kScaledContext16};

Bytes to_bytes(const std::vector<int>& values) {
  Bytes bytes;
  std::ranges::transform(values, std::back_inserter(bytes),
                         [](int value) { return static_cast<std::byte>(value); });
  return bytes;
}

Bytes put(const Scales& scales) {
  Bytes bytes;
  put_row_scales(bytes, scales);
  return bytes;
}

Scales get(const Bytes& bytes, std::size_t rows) {
  ByteReader reader(bytes, "payload");
  Scales scales = get_row_scales(reader, rows);
  reader.expect_end();
  return scales;
}

// Codes of three centroids that float16 holds.
Tensor tensor_of(const Shape& shape, Scales scales) {
  QuantizedValues quantized{{-0.5f, 0.0f, 0.25f}, {}, std::move(scales)};
  for (std::int64_t i = 0; i < element_count(shape); ++i) {
    quantized.codes.push_back(static_cast<std::uint8_t>(i * i * i % 3));
  }
  return Tensor{shape, std::move(quantized)};
}

// Scales of words by falling frequency: counts with Zipf's expectation times noise.
Scales word_scales(std::size_t rows) {
  std::mt19937 random(1);
  Scales scales;
  for (std::size_t row = 0; row < rows; ++row) {
    const double noise = std::exp(static_cast<double>(random() % 1000) / 1000.0 - 0.5);
    const auto count = std::floor(noise * 2e5 / (static_cast<double>(row) + 3.7));
    scales.push_back(static_cast<std::uint8_t>(std::lround(160.0 - 4.0 * std::log2(count + 1.0))));
  }
  return scales;
}

}  // namespace

TEST_CASE("row scales: they come back") {
  for (const Scales& scales : {Scales{128}, Scales{0}, Scales{255}, Scales{0, 255}, Scales{255, 0},
                               Scales(1000, 77), Scales{3, 3, 4}, word_scales(3000)}) {
    CHECK(get(put(scales), scales.size()) == scales);
  }
  Scales all(256);
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i] = static_cast<std::uint8_t>(i);
  }
  CHECK(get(put(all), all.size()) == all);
}

TEST_CASE("row scales: equal ones take three bytes, whatever their number") {
  CHECK(put({130}) == to_bytes({130, 130, 0}));
  CHECK(put(Scales(100'000, 130)) == to_bytes({130, 130, 0}));
}

TEST_CASE("row scales: those of words take less than their entropy without order") {
  const Scales scales = word_scales(10'000);
  std::vector<double> counts(256, 0.0);
  for (const std::uint8_t scale : scales) {
    counts[scale] += 1.0;
  }
  double bits = 0.0;
  for (const double count : counts) {
    bits -= count == 0.0 ? 0.0 : count * std::log2(count / static_cast<double>(scales.size()));
  }
  CHECK(static_cast<double>(put(scales).size()) < 0.9 * bits / 8.0);
}

TEST_CASE("row scales: tensors of every shape come back in every kind") {
  const auto round_trip = [](const Shape& shape, Scales scales) {
    const Tensor tensor = tensor_of(shape, std::move(scales));
    for (const PayloadKind kind : kScaledKinds) {
      CHECK(decode_payload(encode_payload(tensor, kind), shape, kind) == tensor);
    }
    const Payload payload = encode_payload(tensor);
    CHECK(decode_payload(payload.bytes, shape, payload.kind) == tensor);
  };
  round_trip({}, {200});
  round_trip({7}, {0});
  round_trip({3, 5}, {1, 2, 1});
  round_trip({3, 5}, {9, 9, 9});
  round_trip({5, 1}, {100, 101, 99, 255, 0});
  round_trip({2, 3, 4}, {5, 6, 7, 8, 9, 10});
  round_trip({3000, 2}, word_scales(3000));
}

TEST_CASE("row scales: the kind tells of them, and the faster one is taken within one percent") {
  const Tensor plain = tensor_of({40, 50}, {});
  const Tensor scaled = tensor_of({40, 50}, Scales(40, 128));
  CHECK(encode_payload(scaled, PayloadKind::kScaledContext16).size() ==
        encode_payload(plain, PayloadKind::kContext16).size() + 3);
  CHECK(encode_payload(scaled, PayloadKind::kScaledCodebook32).size() ==
        encode_payload(plain, PayloadKind::kCodebook32).size() + 3);

  std::mt19937 random(1);
  Tensor tensor{{200, 200}, QuantizedValues{{-1.0f, 0.0f, 1.0f, 2.0f}, {}, Scales(200, 9)}};
  auto& quantized = std::get<QuantizedValues>(tensor.data);
  for (int i = 0; i < 200 * 200; ++i) {
    quantized.codes.push_back(static_cast<std::uint8_t>(random() % 4));
  }
  CHECK(encode_payload(tensor).kind == PayloadKind::kScaledCodebook16);  // nothing to learn
  quantized.centroids.back() = 4.0f / 3.0f;
  CHECK(encode_payload(tensor).kind == PayloadKind::kScaledCodebook32);
  for (std::size_t i = 1; i < quantized.codes.size(); i += 2) {
    quantized.codes[i] = 1;
  }
  CHECK(encode_payload(tensor).kind == PayloadKind::kScaledContext32);
  quantized.centroids.back() = 4.0f;
  CHECK(encode_payload(tensor).kind == PayloadKind::kScaledContext16);
}

TEST_CASE("row scales: the example of LTZ.md") {
  const Tensor tensor{{2, 4},
                      QuantizedValues{{-0.5f, 0.0f, 0.25f}, {1, 1, 0, 1, 2, 1, 1, 0}, {120, 123}}};
  const Bytes expected = to_bytes({0x03, 0xFF, 0x47, 0x81, 0x70, 0x80, 0x68, 0x78, 0x7B, 0x04, 0x00,
                                   0x80, 0xAA, 0x1A, 0xC0, 0x23, 0x21, 0x98});
  CHECK(encode_payload(tensor).kind == PayloadKind::kScaledContext16);
  CHECK(encode_payload(tensor).bytes == expected);
  CHECK(decode_payload(expected, {2, 4}, PayloadKind::kScaledContext16) == tensor);
}

TEST_CASE("row scales: each bad one has its own reason") {
  const auto refused = [](const Bytes& bytes, std::size_t rows, const char* why) {
    CHECK_THROWS_AS(get(bytes, rows), FormatError);
    CHECK_THROWS_WITH(get(bytes, rows), Contains("row scales: ") && Contains(why));
  };
  const Bytes good = put({4, 6, 5, 6, 4});
  REQUIRE(get(good, 5) == Scales{4, 6, 5, 6, 4});
  refused(to_bytes({128, 128, 0}), 0, "expected none for a tensor without elements");
  refused(to_bytes({129, 128, 0}), 3, "the smallest, 129, is above the largest, 128");
  refused(to_bytes({128, 128, 1, 0}), 3, "context stream: 1 unexpected trailing bytes");
  refused(to_bytes({128, 130, 0}), 3, "context stream: truncated");
  refused(to_bytes({128, 130, 3, 1, 2, 3}), 3, "context stream: truncated");
  refused(put(Scales{4, 6, 4, 6, 4, 4, 6, 6, 4, 6, 4, 4, 6, 4, 6, 6, 4, 4, 6, 4, 6}), 2,
          "context stream: ");
  refused(put(word_scales(3000)), 2000, "context stream: ");
  refused(put(word_scales(2000)), 3000, "context stream: ");
  // Three rows that are all the largest.
  Bytes unused = to_bytes({128, 130});
  const Bytes stream = context_encode(Scales{2, 2, 2}, {.columns = 1, .alphabet = 3, .zero = 2});
  put_varint(unused, stream.size());
  put_bytes(unused, stream);
  refused(unused, 3, "expected 128 to 130, found 130 to 130");

  CHECK_THROWS_WITH(get(to_bytes({128}), 3), Contains("payload: truncated"));
  CHECK_THROWS_WITH(get(to_bytes({128, 130}), 3), Contains("payload: truncated"));
  CHECK_THROWS_WITH(get(to_bytes({128, 130, 5, 1, 2, 3, 4}), 3),
                    Contains("payload: truncated: expected 5 more bytes, found 4"));
  CHECK_THROWS_WITH(get(to_bytes({128, 130, 0x80, 0}), 3), Contains("variable-length"));
  CHECK_THROWS_WITH(
      decode_payload(to_bytes({0, 128, 128, 0}), {0, 5}, PayloadKind::kScaledCodebook16),
      Contains("row scales: expected none for a tensor without elements"));
}

TEST_CASE("row scales: every container gives the same values") {
  Checkpoint checkpoint = tiny_checkpoint(1);
  const std::string table = "encoder.embed_tokens.weight";  // (16, 8)
  checkpoint.tensors.at(table) = tensor_of({16, 8}, word_scales(16));
  const std::string kernel = "decoder.layers.0.self_attn.branches.1.weight";  // (2, 1, 5)
  checkpoint.tensors.at(kernel) = tensor_of({2, 1, 5}, {130, 126});
  // Rounded to zero by its row's scale: pruned for all that read the values.
  const std::string matrix = "encoder.layers.0.fc1.weight";  // (12, 8)
  Tensor small = tensor_of({12, 8}, Scales(12, 128));
  std::get<QuantizedValues>(small.data).centroids[0] = -0x1p-149f;
  std::get<QuantizedValues>(small.data).row_scales[3] = 100;
  checkpoint.tensors.at(matrix) = small;

  const Checkpoint from_hdf5 = decode_hdf5(encode_hdf5(checkpoint), "m.h5");
  const Checkpoint from_ltz = decode_ltz(encode_ltz(from_hdf5), "m.ltz");
  test::check_equal(from_ltz, checkpoint);
  const Checkpoint floats = read_safetensors(encode_safetensors(from_ltz), "m.safetensors", {});
  const Checkpoint again = decode_ltz(encode_ltz(floats), "m.ltz");
  for (const auto& [name, tensor] : checkpoint.tensors) {
    CHECK(again.tensors.at(name).values() == tensor.values());
  }
}

TEST_CASE("row scales: as many as there are rows, or none") {
  const auto refused = [](const Shape& shape, Scales scales) {
    Checkpoint checkpoint = tiny_checkpoint(1);
    const std::string name = "encoder.layers.0.fc1.weight";
    const Tensor tensor = tensor_of(shape, std::move(scales));
    REQUIRE(checkpoint.tensors.at(name).shape == shape);
    checkpoint.tensors.at(name) = tensor;
    const std::string found =
        std::to_string(std::get<QuantizedValues>(tensor.data).row_scales.size());
    const auto reason = Contains("tensor " + name +
                                 ": row scales: expected none or 12 for shape "
                                 "(12, 8), found " +
                                 found);
    CHECK_THROWS_WITH(encode_ltz(checkpoint), reason);
    CHECK_THROWS_WITH(encode_hdf5(checkpoint), reason);
  };
  refused({12, 8}, Scales(11, 128));
  refused({12, 8}, Scales(13, 128));
  refused({12, 8}, Scales(96, 128));
  refused({12, 8}, Scales(1, 128));
}

}  // namespace ltz::formats
