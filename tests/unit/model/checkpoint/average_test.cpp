#include "model/checkpoint/average.h"

#include <catch2/catch.hpp>
#include <string>

#include "model/base/error.h"
#include "tests/support/tiny_checkpoint.h"

namespace ltz {
namespace {

const std::string kName = "encoder.layers.0.fc1.weight";

void fill(Checkpoint& checkpoint, float value) {
  for (float& element : std::get<DenseValues>(checkpoint.tensors.at(kName).data).values) {
    element = value;
  }
}

}  // namespace

TEST_CASE("an average has the mean of every element") {
  CheckpointAverage average;
  Checkpoint first = tiny_checkpoint(1);
  for (const float value : {1.0f, 2.0f, 6.0f}) {
    Checkpoint checkpoint = tiny_checkpoint(1);
    fill(checkpoint, value);
    average.add(std::move(checkpoint));
  }
  const Checkpoint mean = average.take();
  for (const float value : mean.tensors.at(kName).values()) {
    CHECK(value == 3.0f);
  }
  CHECK(mean.config == first.config);
  CHECK(mean.source_vocabulary == first.source_vocabulary);
  CHECK(mean.merges == first.merges);
}

TEST_CASE("sums are taken in float32 and in order, as fairseq takes them") {
  CheckpointAverage average;
  for (const float value : {1.0f, 0x1p-24f, 0x1p-24f}) {
    Checkpoint checkpoint = tiny_checkpoint(1);
    fill(checkpoint, value);
    average.add(std::move(checkpoint));
  }
  // 1 + 2^-24 is 1 in float32, so both small ones are lost.
  CHECK(average.take().tensors.at(kName).values()[0] == 1.0f / 3.0f);
}

TEST_CASE("language models are averaged, each tied table once") {
  const std::string table = "decoder.embed_tokens.embeddings.1.0.weight";
  CheckpointAverage average;
  for (const unsigned seed : {1U, 2U}) {
    average.add(tiny_language_model(seed));
  }
  const Checkpoint mean = average.take();
  const Checkpoint first = tiny_language_model(1);
  CHECK_NOTHROW(validate(mean));
  CHECK(mean.config == first.config);
  CHECK(mean.tensors.size() == first.tensors.size());
  CHECK(mean.target_vocabulary == first.target_vocabulary);
  const std::vector<float> a = first.tensors.at(table).values();
  const std::vector<float> b = tiny_language_model(2).tensors.at(table).values();
  const std::vector<float> found = mean.tensors.at(table).values();
  for (std::size_t i = 0; i < found.size(); ++i) {
    CHECK(found[i] == (a[i] + b[i]) / 2.0f);
  }
  CheckpointAverage mixed;
  mixed.add(tiny_language_model(1));
  CHECK_THROWS_AS(mixed.add(tiny_checkpoint(1)), ConfigError);
}

TEST_CASE("one checkpoint comes back as it was") {
  CheckpointAverage average;
  average.add(tiny_quantized_checkpoint(1));
  CHECK(average.take().tensors == tiny_quantized_checkpoint(1).tensors);
  CHECK_THROWS_AS(average.take(), ConfigError);
}

TEST_CASE("codebooks are averaged as the values that they stand for") {
  CheckpointAverage average;
  average.add(tiny_quantized_checkpoint(1));
  average.add(tiny_quantized_checkpoint(1));
  const Checkpoint mean = average.take();
  for (const auto& [name, tensor] : tiny_quantized_checkpoint(1).tensors) {
    CHECK_FALSE(mean.tensors.at(name).quantized());
    CHECK(mean.tensors.at(name).values() == tensor.values());
  }
}

TEST_CASE("different models cannot be averaged") {
  CheckpointAverage average;
  average.add(tiny_checkpoint(1));
  Checkpoint other = tiny_checkpoint(1);
  other.config.max_source_positions = 7;
  CHECK_THROWS_WITH(average.add(other), Catch::Contains("configurations"));
  other = tiny_checkpoint(1);
  other.merges.clear();
  CHECK_THROWS_WITH(average.add(other), Catch::Contains("vocabularies"));
}

}  // namespace ltz
