#include "cli/pipeline/verify.h"

#include <catch2/catch.hpp>

#include "cli/pipeline/compress.h"
#include "cli/pipeline/fingerprint.h"
#include "eval/budget/accounting.h"
#include "formats/models/model_description.h"
#include "formats/models/model_file.h"
#include "model/base/error.h"
#include "tests/support/tiny_checkpoint.h"

using namespace ltz;
using namespace ltz::pipeline;

TEST_CASE("the paper's baseline is Transformer base") {
  CHECK(paper_baseline() == 44138496);
}

TEST_CASE("the ratio `paper` is about models of the paper's size") {
  const auto papers_size = [](const char* preset) {
    const ModelConfig config = formats::describe_model(preset, {}).config;
    return eval::size_report(config, {.artifact = 1, .model = 1}, 1).papers_size;
  };
  CHECK(papers_size("lite-transformer-wmt-496"));
  CHECK_FALSE(papers_size("lite-transformer-iwslt-160"));
  CHECK_FALSE(papers_size("transformer-base"));
}

TEST_CASE("a model is compressed and verified without a program") {
  const Checkpoint checkpoint = tiny_checkpoint(1);
  CompressOptions options{.recipe = {.name = "test", .bits_per_weight = 26.0}};
  std::vector<std::string> said;
  const std::vector<std::byte> bytes =
      compress_model({.checkpoint = checkpoint}, options,
                     {.message = [&](const std::string& line) { said.push_back(line); }});
  CHECK_FALSE(said.empty());
  const formats::ModelFile artifact = formats::read_model(bytes, "a.ltz", {});
  const auto weights = static_cast<double>(eval::count_parameters(checkpoint.config).non_embedding);

  const std::optional<eval::ParallelText> no_text;
  const VerifyOptions limits{.limits = {.min_ratios = {{"model", 1.2}},
                                        .max_bytes = static_cast<std::int64_t>(bytes.size())}};
  const Verification found =
      verify(artifact, "a.ltz", {.checkpoint = checkpoint, .text = no_text}, limits);
  CHECK(found.passed());
  CHECK(found.gates.size() == 2);
  CHECK(found.measured.size.bits_per_weight <= 26.0);
  CHECK(found.measured.size.bytes.model ==
        Approx(found.measured.size.bits_per_weight * weights / 8.0));
  CHECK_FALSE(found.measured.artifact.bleu);

  const VerifyOptions strict{.limits = {.max_bytes = 10}};
  CHECK_FALSE(
      verify(artifact, "a.ltz", {.checkpoint = checkpoint, .text = no_text}, strict).passed());
  Checkpoint other = checkpoint;
  other.config.max_source_positions += 1;
  CHECK_THROWS_AS(verify(artifact, "a.ltz", {.checkpoint = other, .text = no_text}, limits),
                  ConfigError);
}

TEST_CASE("a fingerprint covers configuration, names, shapes and values") {
  const Checkpoint checkpoint = tiny_checkpoint(1);
  const std::string original = fingerprint(checkpoint);
  CHECK(original.size() == 16);
  CHECK(original == fingerprint(tiny_checkpoint(1)));
  CHECK(original != fingerprint(tiny_checkpoint(2)));
  Checkpoint changed = checkpoint;
  changed.config.max_target_positions += 1;
  CHECK(original != fingerprint(changed));
  changed = checkpoint;
  Tensor& tensor = changed.tensors.begin()->second;
  tensor.shape.insert(tensor.shape.begin(), 1);
  CHECK(original != fingerprint(changed));
}
