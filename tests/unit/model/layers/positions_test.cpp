#include <catch2/catch.hpp>
#include <vector>

#include "model/layers/transformer_layers.h"
#include "tests/support/tiny_checkpoint.h"

using namespace ltz;

TEST_CASE("a sentence without limit finds the sinusoids of a table of its length") {
  Checkpoint checkpoint = tiny_checkpoint(1);
  checkpoint.config.max_source_positions = 1 << 28;
  const int width = checkpoint.config.encoder.embed_dim;
  const std::vector<float> tokens(
      static_cast<std::size_t>(checkpoint.config.source_vocabulary_size * width));
  const ParameterLookup parameters{
      .find = [&](const std::string&) { return std::span<const float>(tokens); },
      .matrix = {},
      .observer = nullptr};
  const Embedding embedding(parameters, checkpoint.config, Stack::kEncoder);
  const int length = kTabledPositions + 100;
  const Matrix expected = sinusoidal_positions(length + Vocabulary::kPad + 1, width);
  Matrix found(1, width);
  for (const int position : {0, kTabledPositions - 1, kTabledPositions, length - 1}) {
    CAPTURE(position);
    embedding.look_up(std::vector{+Vocabulary::kEos}, std::vector{position}, found);
    CHECK(found.row(0) == expected.row(position + Vocabulary::kPad + 1));
  }
}
