#include "formats/ltz/ltz.h"

#include <catch2/catch.hpp>
#include <numeric>

#include "compress/recipes/tunable.h"
#include "model/base/error.h"
#include "tests/support/check_checkpoint.h"
#include "tests/support/thread_count.h"
#include "tests/support/tiny_calibration.h"
#include "tests/support/tiny_checkpoint.h"

namespace ltz::formats {
namespace {

using Catch::Matchers::Contains;

void check_round_trip(const Checkpoint& checkpoint) {
  const auto bytes = encode_ltz(checkpoint);
  CHECK(is_ltz(bytes));
  test::check_equal(decode_ltz(bytes, "tiny.ltz"), checkpoint);
}

}  // namespace

TEST_CASE("ltz: a checkpoint comes back exactly") {
  check_round_trip(tiny_checkpoint(1));
  check_round_trip(tiny_quantized_checkpoint(1));
  check_round_trip(tiny_language_model(1));
  check_round_trip(tiny_quantized_language_model(1));
}

TEST_CASE("ltz: what a compressor gives is what its file gives back") {
  const Checkpoint checkpoint = tiny_checkpoint(10);
  const compress::Recipe recipe{.method = compress::PruningMethod{.bits = 3, .embedding_bits = 3}};
  const compress::TunablePlanner planner(checkpoint, nullptr, recipe, 1e6);
  const compress::Calibration calibration = tiny_calibration(checkpoint, tiny_text());
  const compress::TunableCalibrated calibrated(checkpoint, calibration,
                                               {.method = compress::CalibratedMethod{}});
  for (const double strength : {planner.range().mildest, planner.range().strongest}) {
    check_round_trip(planner.compress(strength, {}));
  }
  for (const double strength : {-20.0, -10.0, -3.0}) {
    check_round_trip(calibrated.compress(strength, {}));
  }
}

TEST_CASE("ltz: equal vocabularies and missing merges come back") {
  Checkpoint checkpoint = tiny_checkpoint(2);
  checkpoint.merges.clear();
  check_round_trip(checkpoint);
  Checkpoint shared = tiny_checkpoint(2);
  shared.target_vocabulary = shared.source_vocabulary;
  shared.config.target_vocabulary_size = shared.source_vocabulary.size();
  shared.tensors["decoder.embed_tokens.weight"] = shared.tensors["encoder.embed_tokens.weight"];
  check_round_trip(shared);
  CHECK(ltz_sizes(encode_ltz(shared)).vocabulary < ltz_sizes(encode_ltz(checkpoint)).vocabulary);
}

TEST_CASE("ltz: values at the limits of their types come back") {
  Checkpoint checkpoint = tiny_checkpoint(3);
  Tensor& tensor = checkpoint.tensors["encoder.layers.0.fc1.weight"];
  const auto count = static_cast<std::size_t>(tensor.size());
  const auto quantize = [&](std::vector<float> centroids) {
    QuantizedValues quantized{std::move(centroids), std::vector<std::uint8_t>(count)};
    for (std::size_t i = 0; i < count; ++i) {
      quantized.codes[i] = static_cast<std::uint8_t>(i % quantized.centroids.size());
    }
    tensor.data = quantized;
    check_round_trip(checkpoint);
  };
  quantize({-65504.0f, -0x1p-24f, -0.0f, 0x1p-24f, 65504.0f});  // float16
  quantize({-3.4e38f, -1e-45f, 0.0f, 1e-45f, 3.4e38f});         // float32
  std::vector<float> all(256);
  std::iota(all.begin(), all.end(), -128.0f);
  quantize(all);
}

TEST_CASE("ltz: the bytes do not depend on the threads") {
  const Checkpoint checkpoint = tiny_quantized_checkpoint(4);
  const auto one = on_threads(1, [&] { return encode_ltz(checkpoint); });
  const auto four = on_threads(4, [&] { return encode_ltz(checkpoint); });
  test::check_equal(on_threads(4, [&] { return decode_ltz(one, "tiny.ltz"); }), checkpoint);
  CHECK(one == four);
}

TEST_CASE("ltz: every flipped bit is refused") {
  const auto bytes = encode_ltz(tiny_quantized_checkpoint(5));
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    auto damaged = bytes;
    damaged[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    try {
      decode_ltz(damaged, "tiny.ltz");
      FAIL("bit " << bit << " was accepted");
    } catch (const FormatError&) {
      // A section's CRC or, before it, a check of the header.
    }
  }
}

TEST_CASE("ltz: every truncation and every trailing byte is refused") {
  auto bytes = encode_ltz(tiny_quantized_checkpoint(6));
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    const auto front = std::span(bytes).first(length);
    REQUIRE_THROWS_AS(decode_ltz(front, "tiny.ltz"), FormatError);
    REQUIRE_THROWS_AS(ltz_sizes(front), FormatError);
  }
  bytes.push_back(std::byte{0});
  CHECK_THROWS_WITH(decode_ltz(bytes, "tiny.ltz"), Contains("tiny.ltz: header: 1 trailing"));
}

TEST_CASE("ltz: the sizes add up to the file") {
  const Checkpoint checkpoint = tiny_quantized_checkpoint(7);
  const auto bytes = encode_ltz(checkpoint);
  const LtzSizes sizes = ltz_sizes(bytes);
  CHECK(sizes.total == static_cast<std::int64_t>(bytes.size()));
  CHECK(sizes.total == sizes.embedding + sizes.vocabulary + sizes.model);
  CHECK(read_ltz(bytes, "tiny.ltz").sizes == sizes);
  const auto payloads = read_ltz(bytes, "tiny.ltz").tensor_bytes;
  CHECK(payloads.size() == checkpoint.tensors.size());
  CHECK(sizes.embedding ==
        payloads.at("encoder.embed_tokens.weight") + payloads.at("decoder.embed_tokens.weight"));
}

TEST_CASE("ltz: what surrounds the codes of a matrix is small") {
  Checkpoint checkpoint = tiny_checkpoint(8);
  checkpoint.config.encoder.ffn_embed_dim = 7680;
  for (const ParameterSpec& spec : parameter_specs(checkpoint.config)) {
    const auto count = static_cast<std::size_t>(element_count(spec.shape));
    checkpoint.tensors[spec.name] = dense_tensor(spec.shape, std::vector<float>(count, 1.0f));
  }
  QuantizedValues quantized;
  for (int i = -128; i < 128; ++i) {
    quantized.centroids.push_back(round_to_float16(static_cast<float>(i) * 0.004f));
  }
  for (std::size_t i = 0; i < 7680 * 8; ++i) {
    quantized.codes.push_back(static_cast<std::uint8_t>(i * 167));
  }
  const std::string name = "encoder.layers.0.fc1.weight";
  checkpoint.tensors[name].data = quantized;
  // The codes are uniform: 8 bits each.
  CHECK(read_ltz(encode_ltz(checkpoint), "tiny.ltz").tensor_bytes.at(name) < 7680 * 8 + 600);
}

TEST_CASE("ltz: tensors that cannot be stored exactly are refused") {
  const auto refused = [](const auto& damage, const char* reason) {
    Checkpoint checkpoint = tiny_quantized_checkpoint(9);
    QuantizedValues& quantized = std::get<QuantizedValues>(checkpoint.tensors.begin()->second.data);
    damage(quantized);
    CHECK_THROWS_AS(encode_ltz(checkpoint), FormatError);
    CHECK_THROWS_WITH(encode_ltz(checkpoint),
                      Contains("tensor " + checkpoint.tensors.begin()->first) && Contains(reason));
  };
  refused([](QuantizedValues& q) { q.codes[0] = 9; }, "code 9 has no centroid");
  refused([](QuantizedValues& q) { q.codes.pop_back(); }, "elements for shape");
  refused([](QuantizedValues& q) { q.centroids[1] = q.centroids[0]; }, "centroid 1 is not above");
  refused([](QuantizedValues& q) { q.centroids.resize(257); }, "at most 256");

  Checkpoint checkpoint = tiny_checkpoint(9);
  auto& dense = std::get<DenseValues>(checkpoint.tensors.begin()->second.data);
  dense.precision = Precision::kFloat16;
  CHECK_THROWS_WITH(encode_ltz(checkpoint), Contains("expected float16 values"));
  checkpoint = tiny_checkpoint(9);
  checkpoint.tensors.erase(checkpoint.tensors.begin());
  CHECK_THROWS_AS(encode_ltz(checkpoint), ConfigError);
}

}  // namespace ltz::formats
