#include "formats/records/training_file.h"

#include <catch2/catch.hpp>

#include "formats/safetensors/safetensors.h"
#include "model/base/error.h"
#include "tests/support/tiny_checkpoint.h"

namespace ltz::formats {
namespace {

using Catch::Matchers::Contains;

constexpr const char* kSignature = "this training";
constexpr const char* kMatrix = "encoder.layers.0.fc1.weight";

// The best model is none, or has every kind of tensor.
compress::FinetuneState some_state(bool with_best) {
  compress::FinetuneState state{.updates = 12, .total = 345, .best_nll = 1.0 / 3.0};
  state.tensors[kMatrix] = {{1.0f, -0.0f, 1e-42f}, {}, {7.0f}};
  state.evaluations_without_gain = 2;
  if (with_best) {
    state.best = tiny_quantized_checkpoint(1).tensors;
    state.best_bleu = 23.456;
  }
  return state;
}

// The same file with something else in it.
template <typename Change>
std::vector<std::byte> changed(const std::vector<std::byte>& bytes, Change change) {
  SafetensorsFile file = parse_safetensors(bytes);
  change(file);
  return encode_safetensors(file);
}

}  // namespace

TEST_CASE("a training comes back exactly") {
  for (const bool with_best : {false, true}) {
    const compress::FinetuneState state = some_state(with_best);
    const auto found =
        read_training(encode_training(state, kSignature), tiny_checkpoint(1), kSignature);
    CHECK(found.updates == state.updates);
    CHECK(found.total == state.total);
    CHECK(found.tensors == state.tensors);
    CHECK(found.best_nll == state.best_nll);
    CHECK(found.best_bleu == state.best_bleu);
    CHECK(found.best == state.best);
    CHECK(found.evaluations_without_gain == state.evaluations_without_gain);
  }
}

TEST_CASE("a training of another version, signature or model is refused") {
  const Checkpoint start = tiny_checkpoint(1);
  const auto bytes = encode_training(some_state(true), kSignature);
  const auto refused = [&](const auto& change, const char* why) {
    CHECK_THROWS_WITH(read_training(changed(bytes, change), start, kSignature), Contains(why));
  };
  using File = SafetensorsFile;
  refused([](File& f) { f.metadata["ltz_training"] = "1"; },
          "expected a training of version 2, found 1: begin it anew");
  refused([](File& f) { f.metadata.erase("ltz_training"); }, "expected \"ltz_training\"");
  refused([](File& f) { f.metadata["updates"] = "12.5"; }, "expected a number as \"updates\"");
  refused([](File& f) { f.metadata["signature"] = "another"; }, "this is another training");
  Checkpoint other = start;
  other.config.encoder.ffn_embed_dim += 1;
  CHECK_THROWS_WITH(read_training(bytes, other, kSignature), Contains("best model"));
}

TEST_CASE("a best model that is none is refused") {
  const Checkpoint start = tiny_checkpoint(1);
  const auto bytes = encode_training(some_state(true), kSignature);
  const auto tensors = parse_safetensors(bytes).tensors;
  // The first tensor of each kind.
  std::string codes;
  std::string values;
  for (const auto& [name, view] : tensors) {
    if (codes.empty() && name.ends_with("/codes")) {
      codes = name;
    } else if (values.empty() && name.ends_with("/values")) {
      values = name;
    }
  }
  const auto refused = [&](const auto& change, const char* why) {
    CHECK_THROWS_WITH(read_training(changed(bytes, change), start, kSignature), Contains(why));
  };
  refused([&](SafetensorsFile& f) { f.tensors.erase(values); }, "is missing");
  refused([&](SafetensorsFile& f) { f.tensors.erase(codes); }, "is missing");
  refused([&](SafetensorsFile& f) { f.tensors[codes].dtype = "I8"; }, "expected U8, found I8");
  const std::vector<std::byte> high(tensors.at(codes).bytes.size(), std::byte{255});
  refused([&](SafetensorsFile& f) { f.tensors[codes].bytes = high; }, "has no centroid");
}

}  // namespace ltz::formats
