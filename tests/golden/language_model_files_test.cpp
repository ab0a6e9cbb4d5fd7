#include <catch2/catch.hpp>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "eval/budget/accounting.h"
#include "formats/fairseq/checkpoint_file.h"
#include "formats/files/file.h"
#include "formats/hdf5/hdf5.h"
#include "formats/ltz/ltz.h"
#include "formats/models/model_file.h"
#include "formats/safetensors/checkpoint.h"
#include "formats/safetensors/header.h"
#include "formats/safetensors/values.h"
#include "model/decoding/scoring.h"
#include "tests/support/check_checkpoint.h"
#include "tests/support/temporary_folder.h"

// The tiny language models in every container.
namespace ltz {
namespace {

namespace fs = std::filesystem;
using Bytes = std::vector<std::byte>;

const fs::path kModels = fs::path(LTZ_GOLDEN_DIR) / "language-models";

Checkpoint read(const std::string& variant) {
  return formats::read_model(kModels / variant / "checkpoint.pt",
                             {.target_dict = kModels / "dict.txt"})
      .checkpoint;
}

std::vector<std::string> variants() {
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(kModels)) {
    if (entry.is_directory()) {
      names.push_back(entry.path().filename());
    }
  }
  return names;
}

// What safetensors.torch.save_file makes of a state_dict, as far as weights go: every name that it
// has, tied or not.
Bytes state_dict_as_safetensors(const std::map<std::string, formats::TorchTensor>& tensors) {
  formats::SafetensorsHeader header;
  Bytes data;
  for (const auto& [name, tensor] : tensors) {
    if (tensor.type != formats::TorchType::kFloat32) {
      continue;  // fairseq's buffers of integers
    }
    const auto begin = static_cast<std::int64_t>(data.size());
    formats::put_values(data, tensor.floats, Precision::kFloat32);
    header.tensors[name] = {formats::dtype_of(Precision::kFloat32), tensor.shape, begin,
                            static_cast<std::int64_t>(data.size())};
  }
  const std::string text = formats::safetensors_header_text(header);
  Bytes bytes;
  for (int byte = 0; byte < 8; ++byte) {
    bytes.push_back(static_cast<std::byte>(text.size() >> (8 * byte)));
  }
  const auto head = std::as_bytes(std::span(text));
  bytes.insert(bytes.end(), head.begin(), head.end());
  bytes.insert(bytes.end(), data.begin(), data.end());
  return bytes;
}

}  // namespace

TEST_CASE("language models come back from every container as they were") {
  REQUIRE(variants().size() == 12);
  for (const std::string& variant : variants()) {
    CAPTURE(variant);
    const Checkpoint checkpoint = read(variant);
    const Bytes ltz = formats::encode_ltz(checkpoint);
    const Bytes hdf5 = formats::encode_hdf5(checkpoint);
    const Bytes safetensors = formats::encode_safetensors(checkpoint);
    test::check_equal(formats::decode_ltz(ltz, "m.ltz"), checkpoint);
    test::check_equal(formats::decode_hdf5(hdf5, "m.h5"), checkpoint);
    test::check_equal(formats::read_safetensors(safetensors, "m.safetensors", {}), checkpoint);
    // The same bytes every time, whatever was in between.
    CHECK(formats::encode_ltz(formats::decode_hdf5(hdf5, "m.h5")) == ltz);
    CHECK(formats::encode_hdf5(formats::read_safetensors(safetensors, "m.safetensors", {})) ==
          hdf5);
    const std::vector<TokenIds> text = {{7, 60, 150, 299, 3, 2}, {2}};
    const auto nats = [&](const Checkpoint& model) {
      return negative_log_likelihood(Transformer(model), std::vector<TokenIds>(2), text).nats;
    };
    CHECK(nats(formats::decode_ltz(ltz, "m.ltz")) == nats(checkpoint));
  }
}

TEST_CASE("a state_dict of a language model is read with its args beside it") {
  for (const std::string& variant : variants()) {
    CAPTURE(variant);
    const fs::path checkpoint = kModels / variant / "checkpoint.pt";
    const formats::TorchCheckpoint torch =
        formats::read_torch_checkpoint(formats::read_file(checkpoint), checkpoint);
    const test::TemporaryFolder folder;
    const fs::path file = folder.file("model.safetensors");
    formats::write_file_atomically(file, state_dict_as_safetensors(torch.tensors));
    const std::string args = torch.args.dump();
    formats::write_file_atomically(folder.file("config.json"), std::as_bytes(std::span(args)));
    fs::copy_file(kModels / "dict.txt", folder.file("dict.txt"));
    test::check_equal(formats::read_model(file, {}).checkpoint, read(variant));
  }
}

TEST_CASE("copies of one model, written in different ways, are one model") {
  const Checkpoint tied = read("lsra-adaptive-tied");
  test::check_equal(read("lsra-adaptive-tied-legacy"), tied);
  test::check_equal(read("lsra-adaptive-tied-averaged"), tied);
  const Checkpoint vanilla = read("vanilla-adaptive");
  const Checkpoint stock = read("vanilla-adaptive-stock");
  CHECK(stock.tensors == vanilla.tensors);
  CHECK(stock.config.decoder == vanilla.config.decoder);
}

TEST_CASE("a language model has every parameter once") {
  for (const std::string& variant : variants()) {
    CAPTURE(variant);
    const Checkpoint checkpoint = read(variant);
    std::int64_t elements = 0;
    for (const auto& [name, tensor] : checkpoint.tensors) {
      elements += tensor.size();
    }
    CHECK(elements == eval::count_parameters(checkpoint.config).total);
  }
}

}  // namespace ltz
