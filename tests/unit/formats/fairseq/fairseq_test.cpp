#include "formats/fairseq/fairseq.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <limits>
#include <string>

#include "formats/fairseq/weights.h"
#include "model/base/error.h"
#include "tests/unit/formats/fairseq/tiny_args.h"

using namespace ltz;
using namespace ltz::formats;
using namespace ltz::test;
using Catch::Matchers::Contains;
using nlohmann::json;

namespace {

TorchTensor torch_tensor(Shape shape, float first = 0.0f) {
  TorchTensor tensor{TorchType::kFloat32, std::move(shape), {}, {}};
  for (std::int64_t i = 0; i < element_count(tensor.shape); ++i) {
    tensor.floats.push_back(first + static_cast<float>(i));
  }
  return tensor;
}

// The state_dict that belongs to args, buffers included: with a source dictionary of 6 entries, a
// target one of 5, and consecutive numbers.
TorchCheckpoint tiny_torch(const json& args, int source_rows = 6, int target_rows = 5) {
  TorchCheckpoint torch{args, {}};
  ModelConfig config = config_from_args(args);
  config.source_vocabulary_size = source_rows;
  config.target_vocabulary_size = target_rows;
  float first = 0.0f;
  for (const ParameterSpec& spec : parameter_specs(config)) {
    torch.tensors[spec.name] = torch_tensor(spec.shape, first++);
  }
  for (const std::string stack : {"encoder", "decoder"}) {
    torch.tensors[stack + ".version"] = torch_tensor({1}, 3.0f);
    torch.tensors[stack + ".embed_positions._float_tensor"] = torch_tensor({1});
  }
  return torch;
}

Checkpoint load(TorchCheckpoint torch, const std::vector<std::string>& source = {"a", "b"},
                const std::vector<std::string>& target = {"x"}) {
  return checkpoint_from_torch(std::move(torch), Vocabulary(source), Vocabulary(target), {},
                               "f.pt");
}

}  // namespace

TEST_CASE("weights are taken over, buffers are dropped") {
  TorchCheckpoint torch = tiny_torch(tiny_args());
  torch.tensors["encoder.embed_positions.weights"] = torch_tensor({10, 4});
  torch.tensors["decoder.layers.0.fc1.bias"].type = TorchType::kFloat16;
  const Checkpoint checkpoint = load(torch);
  CHECK(checkpoint.tensors.size() == torch.tensors.size() - 5);
  CHECK(checkpoint.config.source_vocabulary_size == 6);
  CHECK(checkpoint.config.target_vocabulary_size == 5);
  const auto& half = std::get<DenseValues>(checkpoint.tensors.at("decoder.layers.0.fc1.bias").data);
  CHECK(half.precision == Precision::kFloat16);
  CHECK(half.values == torch.tensors["decoder.layers.0.fc1.bias"].floats);
}

TEST_CASE("names of old versions are upgraded") {
  const TorchCheckpoint torch = tiny_torch(tiny_args());
  const Checkpoint expected = load(torch);

  TorchCheckpoint old = torch;
  const auto rename = [&](const std::string& from, const std::string& to) {
    auto node = old.tensors.extract(from);
    node.key() = to;
    old.tensors.insert(std::move(node));
  };
  for (const std::string kind : {".weight", ".bias"}) {
    rename("encoder.layers.0.self_attn_layer_norm" + kind, "encoder.layers.0.layer_norms.0" + kind);
    rename("encoder.layers.0.final_layer_norm" + kind, "encoder.layers.0.layer_norms.1" + kind);
    rename("decoder.layers.0.self_attn_layer_norm" + kind, "decoder.layers.0.layer_norms.0" + kind);
    rename("decoder.layers.0.encoder_attn_layer_norm" + kind,
           "decoder.layers.0.layer_norms.1" + kind);
    rename("decoder.layers.0.final_layer_norm" + kind, "decoder.layers.0.layer_norms.2" + kind);
  }
  rename("decoder.embed_out", "decoder.output_projection.weight");
  const std::string module = "decoder.layers.0.encoder_attn.";
  for (const std::string kind : {"weight", "bias"}) {
    TorchTensor packed = torch_tensor(kind == "weight" ? Shape{12, 4} : Shape{12});
    packed.floats.clear();
    for (const char* part : {"q_proj.", "k_proj.", "v_proj."}) {
      const TorchTensor third = old.tensors.extract(module + part + kind).mapped();
      packed.floats.insert(packed.floats.end(), third.floats.begin(), third.floats.end());
    }
    old.tensors[module + "in_proj_" + kind] = packed;
  }
  CHECK(load(old).tensors == expected.tensors);

  old.tensors["decoder.embed_out"] = torch_tensor({5, 4});
  CHECK_THROWS_WITH(load(old), Contains("decoder.embed_out"));
  TorchCheckpoint uneven = torch;
  uneven.tensors[module + "in_proj_weight"] = torch_tensor({4, 4});
  CHECK_THROWS_WITH(load(uneven), Contains("in_proj_weight") && Contains("(4, 4)"));
}

TEST_CASE("versions before the last LayerNorm have none") {
  json args = tiny_args();
  args["encoder_normalize_before"] = true;
  args["decoder_normalize_before"] = true;
  TorchCheckpoint torch = tiny_torch(args);
  CHECK(load(torch).config.decoder.final_norm);
  torch.tensors["encoder.version"].floats = {2.0f};
  torch.tensors["decoder.version"].floats = {2.0f};
  const Checkpoint old = load(torch);
  CHECK(old.config.encoder.final_norm);
  CHECK_FALSE(old.config.decoder.final_norm);
  CHECK_FALSE(old.tensors.contains("decoder.layer_norm.weight"));
  // Without a version, the tensors tell.
  torch.tensors.erase("encoder.version");
  CHECK(load(torch).config.encoder.final_norm);
  torch.tensors.erase("encoder.layer_norm.weight");
  torch.tensors.erase("encoder.layer_norm.bias");
  CHECK_FALSE(load(torch).config.encoder.final_norm);
}

TEST_CASE("tied matrices are kept once and must be equal") {
  json args = tiny_args();
  args["share_all_embeddings"] = true;
  TorchCheckpoint torch = tiny_torch(args, 5, 5);
  const TorchTensor table = torch.tensors.at("encoder.embed_tokens.weight");
  CHECK(load(torch, {"x"}).tensors.size() == torch.tensors.size() - 4);
  torch.tensors["decoder.embed_tokens.weight"] = table;
  torch.tensors["decoder.embed_out"] = table;
  CHECK_FALSE(load(torch, {"x"}).tensors.contains("decoder.embed_out"));
  torch.tensors["decoder.embed_out"].floats.back() += 1.0f;
  CHECK_THROWS_AS(load(torch, {"x"}), FormatError);
  CHECK_THROWS_WITH(load(torch, {"x"}), Contains("f.pt: ") && Contains("decoder.embed_out") &&
                                            Contains("encoder.embed_tokens.weight"));
  torch.tensors["decoder.embed_out"] = torch_tensor({5, 2});
  CHECK_THROWS_AS(load(torch, {"x"}), FormatError);
  // Only a copy is there: it takes the first name.
  torch.tensors.erase("decoder.embed_out");
  torch.tensors.erase("encoder.embed_tokens.weight");
  CHECK(load(torch, {"x"}).tensors.contains("encoder.embed_tokens.weight"));
}

TEST_CASE("kernels from training on a GPU have no middle dimension") {
  json args = tiny_args();
  args["arch"] = "transformer_multibranch_v2";
  args["encoder_branch_type"] = {"lightweight:3:4:2"};
  TorchCheckpoint torch = tiny_torch(args);
  const Checkpoint expected = load(torch);
  const std::string kernel = "encoder.layers.0.self_attn.branches.0.weight";
  REQUIRE(expected.tensors.at(kernel).shape == Shape{2, 1, 3});
  torch.tensors[kernel].shape = {2, 3};
  CHECK(load(torch).tensors == expected.tensors);
  torch.tensors[kernel].shape = {3, 2};
  CHECK_THROWS_WITH(load(torch), Contains(kernel) && Contains("(2, 1, 3)") && Contains("(3, 2)"));
}

TEST_CASE("tensors that do not fit are refused with file and tensor") {
  TorchCheckpoint torch = tiny_torch(tiny_args());
  torch.tensors["encoder.layers.0.fc1.weight"] = torch_tensor({8, 3});
  CHECK_THROWS_WITH(load(torch), Contains("f.pt: ") && Contains("encoder.layers.0.fc1.weight") &&
                                     Contains("(8, 4)") && Contains("(8, 3)"));
  torch = tiny_torch(tiny_args());
  torch.tensors["more"] = torch_tensor({1});
  CHECK_THROWS_WITH(load(torch), Contains("more"));
  torch = tiny_torch(tiny_args());
  torch.tensors["encoder.layers.0.fc1.bias"] = {
      TorchType::kInt64, {8}, {}, {1, 2, 3, 4, 5, 6, 7, 8}};
  CHECK_THROWS_WITH(load(torch), Contains("found integers"));
  torch = tiny_torch(tiny_args());
  torch.tensors["encoder.layers.0.fc1.bias"].floats[3] = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_WITH(load(torch), Contains("finite"));
  torch = tiny_torch(tiny_args());
  torch.tensors.erase("encoder.embed_tokens.weight");
  CHECK_THROWS_WITH(load(torch), Contains("encoder.embed_tokens.weight is missing"));
  CHECK_THROWS_WITH(load(tiny_torch(tiny_args()), {"a"}), Contains("expected 6"));
}

TEST_CASE("a dictionary without fairseq's padding gets it") {
  const Checkpoint checkpoint = load(tiny_torch(tiny_args(), 8, 5), {"a", "b"});
  CHECK(checkpoint.source_vocabulary.words() ==
        std::vector<std::string>{"a", "b", "madeupword0000", "madeupword0001"});
}

TEST_CASE("the checkpoints of the reference load") {
  const std::filesystem::path golden = LTZ_GOLDEN_DIR;
  const std::pair<const char*, std::size_t> variants[] = {
      {"iwslt-lightweight", 107},      {"iwslt-lightweight-legacy", 107}, {"wmt-dynamic-glu", 105},
      {"wmt-dynamic-glu-legacy", 105}, {"prenorm-lightweight", 100},      {"transformer-base", 85},
      {"iwslt-lightweight-fp16", 107}};
  for (const auto& [variant, tensors] : variants) {
    const std::filesystem::path path = golden / variant / "checkpoint.pt";
    if (!std::filesystem::exists(path)) {
      WARN("skipped: " << path << " is not there");
      continue;
    }
    CHECK(read_fairseq_checkpoint(path, {}).tensors.size() == tensors);
    CHECK_THROWS_WITH(read_fairseq_checkpoint(path, {.source_dict = "/none"}), Contains("/none"));
    CHECK_THROWS_WITH(read_fairseq_checkpoint(path, {.bpe_codes = "/none"}), Contains("/none"));
  }
}

TEST_CASE("a dictionary that is missing names the option") {
  const std::filesystem::path golden = LTZ_GOLDEN_DIR;
  const std::filesystem::path original = golden / "iwslt-lightweight" / "checkpoint.pt";
  if (!std::filesystem::exists(original)) {
    WARN("skipped: " << original << " is not there");
    return;
  }
  const std::filesystem::path copy =
      std::filesystem::temp_directory_path() / "ltz-fairseq-test" / "checkpoint.pt";
  std::filesystem::create_directories(copy.parent_path());
  std::filesystem::copy_file(original, copy, std::filesystem::copy_options::overwrite_existing);
  CHECK_THROWS_AS(read_fairseq_checkpoint(copy, {}), IoError);
  CHECK_THROWS_WITH(read_fairseq_checkpoint(copy, {}),
                    Contains("dict.src.txt") && Contains("--source-dict"));
  std::filesystem::remove_all(copy.parent_path());
}
