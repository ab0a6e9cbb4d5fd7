#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>

#include "formats/fairseq/fairseq.h"
#include "model/base/error.h"
#include "model/checkpoint/bands.h"

// The state_dicts of language models: what is there under several names, and what older files call
// it.
namespace ltz::formats {
namespace {

using Catch::Matchers::Contains;
using nlohmann::json;

TorchTensor torch_tensor(Shape shape, float first = 0.0f) {
  TorchTensor tensor{TorchType::kFloat32, std::move(shape), {}, {}};
  for (std::int64_t i = 0; i < element_count(tensor.shape); ++i) {
    tensor.floats.push_back(first + static_cast<float>(i));
  }
  return tensor;
}

const std::string kSoftmax = "decoder.adaptive_softmax.";

// One layer of width 8 over 10 words in bands of 5, 3 and 2.
json tied_args() {
  return {{"arch", "transformer_lm_multibranch_v2"},
          {"decoder_layers", 1},
          {"decoder_embed_dim", 8},
          {"decoder_ffn_embed_dim", 4},
          {"decoder_attention_heads", 2},
          {"adaptive_input", true},
          {"adaptive_input_cutoff", "5,8"},
          {"adaptive_softmax_cutoff", "5,8"},
          {"adaptive_input_factor", 2},
          {"adaptive_softmax_factor", 2.0},
          {"tie_adaptive_weights", true},
          {"tie_adaptive_proj", true},
          {"no_decoder_final_norm", true}};
}

// With every name that a state_dict has, buffers included.
TorchCheckpoint torch_of(const json& args) {
  TorchCheckpoint torch{args, {}};
  ModelConfig config = config_from_args(args);
  config.target_vocabulary_size = 10;
  float first = 0.0f;
  for (const ParameterSpec& spec : parameter_specs(config)) {
    torch.tensors[spec.name] = torch_tensor(spec.shape, first++);
  }
  if (config.tie_adaptive_weights) {
    const bool narrow = input_width(config) != config.decoder.embed_dim;
    torch.tensors[kSoftmax + (narrow ? "head.word_proj.1.weight" : "head.word_proj.weight")] =
        torch.tensors.at(input_table(0));
    for (std::size_t tail = 0; tail < 2; ++tail) {
      torch.tensors[tail_table(tail)] = torch.tensors.at(input_table(tail + 1));
      if (config.tie_adaptive_proj) {
        torch.tensors[tail_projection(tail)] = torch.tensors.at(input_projection(tail + 1));
      }
    }
  }
  torch.tensors["decoder.version"] = torch_tensor({1}, 3.0f);
  for (const std::string buffer : {"embed_tokens", "embed_positions", "adaptive_softmax.head"}) {
    torch.tensors["decoder." + buffer + "._float_tensor"] = torch_tensor({1});
  }
  torch.tensors[kSoftmax + "version"] = TorchTensor{TorchType::kInt64, {1}, {}, {1}};
  return torch;
}

Checkpoint load(TorchCheckpoint torch, int words = 6) {
  std::vector<std::string> vocabulary;
  for (int i = 0; i < words; ++i) {
    vocabulary.push_back("w" + std::to_string(i));
  }
  return checkpoint_from_torch(std::move(torch), {}, Vocabulary(vocabulary), {}, "f.pt");
}

void rename(std::map<std::string, TorchTensor>& tensors, const std::string& from,
            const std::string& to) {
  auto node = tensors.extract(from);
  REQUIRE_FALSE(node.empty());
  node.key() = to;
  tensors.insert(std::move(node));
}

}  // namespace

TEST_CASE("what input and output of a language model share is there once") {
  const Checkpoint checkpoint = load(torch_of(tied_args()));
  CHECK(checkpoint.config.target_vocabulary_size == 10);
  for (const auto& [name, tensor] : checkpoint.tensors) {
    CAPTURE(name);
    CHECK((!name.starts_with(kSoftmax) || name == kClassProjection));
  }
  CHECK(checkpoint.tensors.at(input_table(1)).shape == Shape{3, 4});
  CHECK(checkpoint.tensors.at(input_projection(2)).shape == Shape{8, 2});
  CHECK(checkpoint.tensors.size() == parameter_specs(checkpoint.config).size());
  // Narrow tables have a projection of their own in front of them.
  json narrow = tied_args();
  narrow.update(
      {{"decoder_input_dim", 6}, {"decoder_output_dim", 6}, {"tie_adaptive_proj", false}});
  const Checkpoint other = load(torch_of(narrow));
  CHECK(other.tensors.at(kWordProjection).shape == Shape{6, 8});
  CHECK(other.tensors.at(tail_projection(1)).shape == Shape{1, 8});
  CHECK_FALSE(other.tensors.contains(tail_table(1)));
}

TEST_CASE("copies of what is tied must be equal, and one of them is enough") {
  const Checkpoint expected = load(torch_of(tied_args()));
  for (const std::string& name :
       {input_table(1), tail_table(0), input_projection(2), tail_projection(1)}) {
    CAPTURE(name);
    TorchCheckpoint without = torch_of(tied_args());
    without.tensors.erase(name);
    CHECK(load(without).tensors == expected.tensors);
    TorchCheckpoint differing = torch_of(tied_args());
    differing.tensors.at(name).floats[0] += 1.0f;
    CHECK_THROWS_WITH(load(differing), Contains(name) && Contains("differ, but are one"));
  }
  TorchCheckpoint none = torch_of(tied_args());
  none.tensors.erase(input_projection(2));
  none.tensors.erase(tail_projection(1));
  CHECK_THROWS_WITH(load(none), Contains(input_projection(2) + " (8, 2) is missing"));
}

TEST_CASE("a language model that ties nothing has all tensors of its own") {
  json args = tied_args();
  args.update({{"tie_adaptive_weights", false},
               {"tie_adaptive_proj", false},
               {"adaptive_softmax_cutoff", "4"},
               {"adaptive_softmax_factor", 4}});
  const Checkpoint checkpoint = load(torch_of(args));
  CHECK(checkpoint.tensors.at(kSoftmaxHead).shape == Shape{5, 8});  // 4 words and a class
  CHECK(checkpoint.tensors.at(tail_table(0)).shape == Shape{6, 2});
  TorchCheckpoint extra = torch_of(args);
  extra.tensors[input_table(3)] = torch_tensor({1, 1});
  CHECK_THROWS_WITH(load(extra), Contains("expected"));
}

TEST_CASE("names of old language models are upgraded") {
  json args = tied_args();
  args.erase("tie_adaptive_proj");
  args.erase("no_decoder_final_norm");
  args.update({{"decoder_branch_type", {"attn:1:4:2", "lightweight:3:4:2"}},
               {"no_tie_adaptive_proj", false}});
  const TorchCheckpoint now = torch_of(args);
  const Checkpoint expected = load(now);
  CHECK_FALSE(expected.config.decoder.final_norm);
  CHECK(expected.config.tie_adaptive_proj);
  TorchCheckpoint old = now;
  const std::string layer = "decoder.layers.0.";
  for (const std::string kind : {"weight", "bias"}) {
    rename(old.tensors, layer + "self_attn_layer_norm." + kind, layer + "layer_norms.0." + kind);
    rename(old.tensors, layer + "final_layer_norm." + kind, layer + "layer_norms.2." + kind);
    const std::string attention = layer + "self_attn.branches.0.";
    TorchTensor packed = old.tensors.at(attention + "q_proj." + kind);
    for (const char* part : {"k_proj.", "v_proj."}) {
      const TorchTensor& more = old.tensors.at(attention + part + kind);
      packed.floats.insert(packed.floats.end(), more.floats.begin(), more.floats.end());
    }
    packed.shape[0] *= 3;
    for (const char* part : {"q_proj.", "k_proj.", "v_proj."}) {
      old.tensors.erase(attention + part + kind);
    }
    old.tensors[attention + "in_proj_" + kind] = packed;
  }
  std::vector<std::string> names;
  for (const auto& [name, tensor] : old.tensors) {
    names.push_back(name);
  }
  for (const std::string& name : names) {
    if (const std::size_t at = name.find("branches"); at != std::string::npos) {
      rename(old.tensors, name, std::string(name).replace(at, 8, "branchs"));
    }
  }
  old.tensors["decoder.embed_positions.weights"] = torch_tensor({20, 8});
  CHECK(load(old).tensors == expected.tensors);
}

TEST_CASE("a language model of the first version has no final norm") {
  json args = tied_args();
  args.erase("no_decoder_final_norm");
  TorchCheckpoint torch = torch_of(args);
  CHECK(load(torch).config.decoder.final_norm);
  torch.tensors["decoder.version"] = torch_tensor({1}, 2.0f);
  const Checkpoint first = load(torch);
  CHECK_FALSE(first.config.decoder.final_norm);
  CHECK_FALSE(first.tensors.contains("decoder.layer_norm.weight"));
}

TEST_CASE("the dictionary of a language model must have its words") {
  CHECK_THROWS_WITH(
      load(torch_of(tied_args()), 5),
      Contains("target dictionary does not match the model: expected 10") && Contains("found 9"));
  CHECK_THROWS_WITH(load(torch_of(tied_args()), 7), Contains("found 11"));
  CHECK_THROWS_WITH(checkpoint_from_torch(torch_of(tied_args()), Vocabulary({"a"}),
                                          Vocabulary({"a", "b", "c", "d", "e", "f"}), {}, "f.pt"),
                    Contains("expected no source dictionary beside a language model"));
}

TEST_CASE("cutoffs that the tables cannot have are refused") {
  for (const char* cutoffs : {"8,5", "5,5", "0,5", "5,11"}) {
    CAPTURE(cutoffs);
    TorchCheckpoint torch = torch_of(tied_args());
    torch.args["adaptive_input_cutoff"] = torch.args["adaptive_softmax_cutoff"] = cutoffs;
    CHECK_THROWS_WITH(load(torch), Contains("adaptive_input_cutoff"));
  }
  TorchCheckpoint torch = torch_of(tied_args());
  torch.args["adaptive_softmax_cutoff"] = "5,9";
  CHECK_THROWS_WITH(load(torch), Contains("tie_adaptive_weights"));
  torch.args["adaptive_input_cutoff"] = "5,9";
  CHECK_THROWS_WITH(load(torch), Contains("expected shape (4, 4), found (3, 4)"));
}

}  // namespace ltz::formats
