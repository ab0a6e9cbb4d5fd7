#include "formats/safetensors/checkpoint.h"

#include <bit>
#include <catch2/catch.hpp>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "formats/fairseq/fairseq.h"
#include "formats/files/file.h"
#include "formats/hdf5/hdf5.h"
#include "formats/ltz/ltz.h"
#include "formats/models/model_file.h"
#include "formats/safetensors/safetensors.h"
#include "model/base/error.h"
#include "tests/support/check_checkpoint.h"
#include "tests/support/pickle_builder.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/tiny_checkpoint.h"

namespace ltz::formats {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;
using Bytes = std::vector<std::byte>;
using nlohmann::json;

Checkpoint read(const Bytes& bytes) {
  return read_safetensors(bytes, "m.safetensors", {});
}

// The upper halves of the elements, as bfloat16.
Tensor cut_to_bfloat16(const Tensor& tensor) {
  std::vector<float> values = tensor.values();
  for (float& value : values) {
    value = std::bit_cast<float>(std::bit_cast<std::uint32_t>(value) & 0xFFFF0000U);
  }
  return dense_tensor(tensor.shape, std::move(values), Precision::kBFloat16);
}

Checkpoint tiny_bfloat16_checkpoint(unsigned seed) {
  Checkpoint checkpoint = tiny_checkpoint(seed);
  for (auto& [name, tensor] : checkpoint.tensors) {
    tensor = cut_to_bfloat16(tensor);
  }
  // Beyond the range of float16, subnormal, and a zero with a sign.
  auto& values = std::get<DenseValues>(checkpoint.tensors.begin()->second.data).values;
  values[0] = 0x1.FEp127f;
  values[1] = -0x1p-133f;
  values[2] = -0.0f;
  return checkpoint;
}

// .h5 -> .safetensors -> .ltz -> .h5, each step as `ltz convert` does it.
void check_chain(const Checkpoint& checkpoint) {
  const Bytes first = encode_hdf5(checkpoint);
  const Checkpoint from_hdf5 = decode_hdf5(first, "m.h5");
  const Checkpoint from_safetensors = read(encode_safetensors(from_hdf5));
  const Checkpoint from_ltz = decode_ltz(encode_ltz(from_safetensors), "m.ltz");
  test::check_equal(from_hdf5, checkpoint);
  test::check_equal(from_safetensors, checkpoint);
  test::check_equal(from_ltz, checkpoint);
  // The comparison of floats takes -0 for 0; that of bytes does not.
  CHECK(encode_hdf5(from_ltz) == first);
}

Bytes with_header(const Bytes& bytes, const std::function<void(json& header)>& change) {
  const std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const auto length = std::to_integer<std::size_t>(bytes[0]) |
                      std::to_integer<std::size_t>(bytes[1]) << 8 |
                      std::to_integer<std::size_t>(bytes[2]) << 16;
  json header = json::parse(text.substr(8, length));
  change(header);
  const std::string changed = header.dump();
  return test::to_bytes(test::unsigned_bytes(changed.size(), 8) + changed +
                        text.substr(8 + length));
}

// Of tiny_checkpoint() without ltz's metadata.
json tiny_args() {
  return {{"arch", "transformer_multibranch_v2"},
          {"source_lang", "en"},
          {"target_lang", "fr"},
          {"encoder_layers", 1},
          {"decoder_layers", 1},
          {"encoder_embed_dim", 8},
          {"encoder_ffn_embed_dim", 12},
          {"encoder_attention_heads", 2},
          {"decoder_attention_heads", 2},
          {"encoder_branch_type", {"attn:1:4:2", "dynamic:default:4:2"}},
          {"decoder_branch_type", {"attn:1:4:2", "lightweight:5:4:2"}},
          {"encoder_kernel_size_list", {3}},
          {"decoder_kernel_size_list", {3}},
          {"conv_linear", true},
          {"share_decoder_input_output_embed", true}};
}

void write_text(const fs::path& path, const std::string& text) {
  write_file_atomically(path, test::to_bytes(text));
}

}  // namespace

TEST_CASE("safetensors: a checkpoint comes back exactly, with all that belongs to it") {
  test::check_equal(read(encode_safetensors(tiny_checkpoint(1))), tiny_checkpoint(1));
  test::check_equal(read(encode_safetensors(tiny_bfloat16_checkpoint(1))),
                    tiny_bfloat16_checkpoint(1));
  Checkpoint shared = tiny_checkpoint(2);
  shared.merges.clear();
  shared.target_vocabulary = shared.source_vocabulary;
  shared.config.target_vocabulary_size = shared.source_vocabulary.size();
  shared.tensors["decoder.embed_tokens.weight"] = shared.tensors["encoder.embed_tokens.weight"];
  const Bytes bytes = encode_safetensors(shared);
  CHECK_FALSE(parse_safetensors(bytes).metadata.contains("ltz.target_vocabulary"));
  test::check_equal(read(bytes), shared);
}

TEST_CASE("safetensors: a language model comes back exactly, without a source") {
  const Checkpoint checkpoint = tiny_language_model(1);
  const Bytes bytes = encode_safetensors(checkpoint);
  test::check_equal(read(bytes), checkpoint);
  CHECK(encode_safetensors(read(bytes)) == bytes);
  const SafetensorsFile file = parse_safetensors(bytes);
  CHECK(file.metadata.at("ltz.version") == "3");
  CHECK_FALSE(file.metadata.contains("ltz.source_vocabulary"));
  CHECK(file.tensors.contains("decoder.version"));
  CHECK_FALSE(file.tensors.contains("encoder.version"));
  check_chain(checkpoint);
}

TEST_CASE("safetensors: codebooks become the floats that they stand for") {
  const Checkpoint quantized = tiny_quantized_checkpoint(1);
  const Checkpoint found = read(encode_safetensors(quantized));
  for (const auto& [name, tensor] : quantized.tensors) {
    CAPTURE(name);
    CHECK_FALSE(found.tensors.at(name).quantized());
    CHECK(found.tensors.at(name).values() == tensor.values());
    const auto* dense = std::get_if<DenseValues>(&tensor.data);
    CHECK(std::get<DenseValues>(found.tensors.at(name).data).precision ==
          (dense == nullptr ? Precision::kFloat32 : dense->precision));
  }
}

TEST_CASE("safetensors: the same checkpoint gives the same bytes, aligned to elements") {
  const Checkpoint checkpoint = tiny_quantized_checkpoint(2);
  const Bytes bytes = encode_safetensors(checkpoint);
  CHECK(encode_safetensors(checkpoint) == bytes);
  CHECK(encode_safetensors(read(bytes)) == bytes);
  const SafetensorsFile file = parse_safetensors(bytes);
  CHECK(file.metadata.at("format") == "pt");
  CHECK(file.tensors.size() == checkpoint.tensors.size() + 2);
  for (const auto& [name, view] : file.tensors) {
    CAPTURE(name);
    const auto size = static_cast<std::ptrdiff_t>(*safetensors_bits(view.dtype) / 8);
    CHECK((view.bytes.data() - bytes.data()) % size == 0);
  }
}

TEST_CASE("safetensors: the versions tell fairseq whether there is a LayerNorm at the end") {
  const auto version = [](const Checkpoint& checkpoint, const std::string& stack) {
    const Bytes bytes = encode_safetensors(checkpoint);
    const SafetensorsFile file = parse_safetensors(bytes);
    const SafetensorsView& view = file.tensors.at(stack + ".version");
    CHECK(view.dtype == "F32");
    CHECK(view.shape == Shape{1});
    return view.bytes[2] == std::byte{0x40} ? 3 : 1;  // 0x40400000 or 0x3F800000
  };
  Checkpoint checkpoint = tiny_checkpoint(1);
  CHECK(version(checkpoint, "encoder") == 3);
  checkpoint.config.encoder.normalize_before = true;
  CHECK(version(checkpoint, "encoder") == 1);
  CHECK(version(checkpoint, "decoder") == 3);
  checkpoint.config.encoder.final_norm = true;
  checkpoint.tensors["encoder.layer_norm.weight"] = dense_tensor({8}, std::vector<float>(8, 1.0f));
  checkpoint.tensors["encoder.layer_norm.bias"] = dense_tensor({8}, std::vector<float>(8, 0.5f));
  CHECK(version(checkpoint, "encoder") == 3);
  test::check_equal(read(encode_safetensors(checkpoint)), checkpoint);
}

TEST_CASE("safetensors: what cannot be written") {
  Checkpoint checkpoint = tiny_checkpoint(3);
  auto words = checkpoint.target_vocabulary.words();
  words[2] = "\xFF";
  checkpoint.target_vocabulary = Vocabulary(words);
  CHECK_THROWS_WITH(encode_safetensors(checkpoint),
                    Contains("target vocabulary: entry 2 is not UTF-8"));
  checkpoint = tiny_checkpoint(3);
  checkpoint.merges[1].first = "\xC3";
  CHECK_THROWS_WITH(encode_safetensors(checkpoint), Contains("merges: entry 1 is not UTF-8"));
  checkpoint = tiny_bfloat16_checkpoint(3);
  std::get<DenseValues>(checkpoint.tensors.at("encoder.layers.0.fc1.bias").data).values[1] = 0.1f;
  CHECK_THROWS_WITH(encode_safetensors(checkpoint),
                    Contains("tensor encoder.layers.0.fc1.bias: expected bfloat16 values"));
  // A word may have any other character.
  checkpoint = tiny_checkpoint(3);
  words = checkpoint.target_vocabulary.words();
  words[2] = std::string("a\"\\\0\x7F\xF0\x9F\x98\x80", 9);
  checkpoint.target_vocabulary = Vocabulary(words);
  test::check_equal(read(encode_safetensors(checkpoint)), checkpoint);
}

TEST_CASE("safetensors: metadata and tensors of a written file that do not fit") {
  const Bytes bytes = encode_safetensors(tiny_checkpoint(4));
  const auto refused = [&](const std::string& reason, const std::function<void(json&)>& change) {
    const Bytes changed = with_header(bytes, change);
    CHECK_THROWS_WITH(read(changed), Contains("m.safetensors: ") && Contains(reason));
  };
  const auto metadata = [](const std::string& key, const std::string& value) {
    return [=](json& header) { header["__metadata__"][key] = value; };
  };
  test::check_equal(read(with_header(bytes, metadata("other", "x"))), tiny_checkpoint(4));
  refused("expected ltz.version 1, 2 or 3, found 4", metadata("ltz.version", "4"));
  refused("ltz.version: expected 3 exactly for a language model, found 3",
          metadata("ltz.version", "3"));
  refused("configuration: ", metadata("ltz.config", "{}"));
  refused("configuration: ", metadata("ltz.config", std::string(100'000, '[')));
  refused("ltz.source_vocabulary: the last line has no end",
          metadata("ltz.source_vocabulary", "x"));
  refused("ltz.target_vocabulary: ", metadata("ltz.target_vocabulary", "x\nx\n"));
  refused("ltz.source_vocabulary: expected 16 entries", metadata("ltz.source_vocabulary", "x\n"));
  refused("merges: expected", metadata("ltz.merges", "x\n"));
  for (const std::string key : {"ltz.config", "ltz.source_vocabulary"}) {
    refused("metadata " + key + " is missing",
            [&](json& header) { header["__metadata__"].erase(key); });
  }
  const std::string bias = "encoder.layers.0.fc1.bias";  // (12)
  refused("tensor " + bias + ": expected F64, F32, F16, BF16, I64 or I32, found U32",
          [&](json& header) { header[bias]["dtype"] = "U32"; });
  refused("tensor " + bias + ": expected floats, found integers",
          [&](json& header) { header[bias]["dtype"] = "I32"; });
  refused("tensor " + bias + ": expected shape (12), found (3, 4)", [&](json& header) {
    header[bias]["shape"] = {3, 4};
  });
  refused("tensor " + bias + ": shape (13) of F32: expected 52 bytes, found 48",
          [&](json& header) { header[bias]["shape"] = {13}; });
  refused("tensor " + bias, [&](json& header) {
    header["encoder.layers.0.fc1.scale"] = header[bias];
    header.erase(bias);
  });
}

TEST_CASE("safetensors: a state_dict takes its settings and dictionaries from its folder") {
  const test::TemporaryFolder folder;
  const Checkpoint checkpoint = tiny_checkpoint(5);
  const Bytes bytes = with_header(encode_safetensors(checkpoint),
                                  [](json& header) { header.erase("__metadata__"); });
  const fs::path path = folder.file("m.safetensors");
  write_file_atomically(path, bytes);
  const auto refused = [&](const std::string& reason) {
    CHECK_THROWS_WITH(read_model(path, {}), Contains(reason));
  };
  refused(path.string() + ": no \"ltz.version\"");
  refused("config.json");
  write_text(folder.file("config.json"), "{");
  refused("config.json: ");
  write_text(folder.file("config.json"), std::string(100'000, '['));
  refused("config.json: line 1: ");
  write_text(folder.file("config.json"), R"({"arch":"gpt2"})");
  refused(path.string() + ": setting arch");
  write_text(folder.file("config.json"), tiny_args().dump());
  refused("dict.en.txt");
  const auto dictionary = [](const Vocabulary& vocabulary) {
    std::string text;
    for (const std::string& word : vocabulary.words()) {
      text += word + " 1\n";
    }
    return text;
  };
  write_text(folder.file("dict.en.txt"), dictionary(checkpoint.source_vocabulary));
  write_text(folder.file("dict.fr.txt"), dictionary(checkpoint.target_vocabulary));
  const ModelFile file = read_model(path, {});
  CHECK(file.container == "safetensors");
  CHECK(file.checkpoint.tensors == checkpoint.tensors);
  CHECK(file.checkpoint.source_vocabulary == checkpoint.source_vocabulary);
  CHECK(file.checkpoint.target_vocabulary == checkpoint.target_vocabulary);
}

TEST_CASE("safetensors: recognised by content, written by name") {
  const test::TemporaryFolder folder;
  const Checkpoint checkpoint = tiny_checkpoint(6);
  write_model(folder.file("m.safetensors"), checkpoint);
  fs::rename(folder.file("m.safetensors"), folder.file("m"));
  const ModelFile file = read_model(folder.file("m"), {});
  CHECK(file.container == "safetensors");
  test::check_equal(file.checkpoint, checkpoint);
  CHECK_FALSE(is_safetensors(encode_hdf5(checkpoint)));
  CHECK_FALSE(is_safetensors(encode_ltz(checkpoint)));
}

TEST_CASE("convert: a SentencePiece model goes through all containers") {
  Checkpoint checkpoint = tiny_checkpoint(8);
  checkpoint.merges.clear();
  const std::vector<std::byte> model =
      read_file(fs::path(LTZ_GOLDEN_DIR) / "sentencepiece" / "unigram.model");
  checkpoint.sentencepiece.assign(reinterpret_cast<const char*>(model.data()), model.size());
  check_chain(checkpoint);
  const Bytes old = with_header(encode_safetensors(checkpoint), [](json& header) {
    header["__metadata__"]["ltz.sentencepiece"] = "AA=A";
  });
  CHECK_THROWS_WITH(read(old), Contains("metadata ltz.sentencepiece: expected base64"));
  checkpoint.merges = {{"a", "b"}};
  CHECK_THROWS_AS(encode_ltz(checkpoint), ConfigError);
  checkpoint.merges.clear();
  checkpoint.sentencepiece = "a b";
  CHECK_THROWS_AS(encode_ltz(checkpoint), FormatError);
}

TEST_CASE("convert: no step loses a bit") {
  check_chain(tiny_checkpoint(7));
  check_chain(tiny_bfloat16_checkpoint(7));
  for (const std::string fixture : {"iwslt-lightweight", "iwslt-lightweight-fp16",
                                    "wmt-dynamic-glu", "prenorm-lightweight", "transformer-base"}) {
    CAPTURE(fixture);
    const fs::path path = fs::path(LTZ_GOLDEN_DIR) / fixture / "checkpoint.pt";
    const Checkpoint original = read_model(path, {}).checkpoint;
    check_chain(original);

    TorchCheckpoint torch = read_torch_checkpoint(read_file(path), path.string());
    for (auto& [name, tensor] : torch.tensors) {
      if (tensor.integers.empty()) {
        const Tensor cut = cut_to_bfloat16(dense_tensor(tensor.shape, tensor.floats));
        tensor.type = TorchType::kBFloat16;
        tensor.floats = cut.values();
      }
    }
    const Checkpoint brain = checkpoint_from_torch(
        torch, original.source_vocabulary, original.target_vocabulary, original.merges, "bf16.pt");
    for (const auto& [name, tensor] : brain.tensors) {
      REQUIRE(std::get<DenseValues>(tensor.data).precision == Precision::kBFloat16);
    }
    check_chain(brain);
  }
}

}  // namespace ltz::formats
