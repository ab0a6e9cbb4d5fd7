#include "compress/calibration/calibration.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "compress/calibration/token_tables.h"
#include "model/base/error.h"
#include "model/decoding/batching.h"
#include "tests/support/thread_count.h"
#include "tests/support/tiny_calibration.h"
#include "tests/support/tiny_checkpoint.h"

using namespace ltz;
using namespace ltz::compress;

TEST_CASE("moments are taken of every matrix and table") {
  const Checkpoint checkpoint = tiny_checkpoint(1);
  Transformer model(checkpoint);
  const auto moments = all_moments(model, tiny_text());
  for (const ParameterSpec& spec : parameter_specs(checkpoint.config)) {
    const bool wanted = spec.role == Role::kMatrix || spec.role == Role::kTable;
    REQUIRE(moments.contains(spec.name) == wanted);
    if (wanted) {
      CHECK(moments.at(spec.name).columns() == spec.shape[1]);
    }
  }
  // Every token of the source and of the target is an input.
  CHECK(moments.at("encoder.layers.0.fc1.weight").count == 17);
  CHECK(moments.at("decoder.layers.0.fc1.weight").count == 13);
  CHECK(moments.at("decoder.layers.0.encoder_attn.k_proj.weight").count == 17);
  // Without a text there are no correlations.
  const auto none = all_moments(model, {});
  CHECK(none.size() == moments.size());
  CHECK(none.at("encoder.layers.0.fc1.weight").second[1] == 0.0);
}

TEST_CASE("moments do not depend on the threads") {
  Transformer model(tiny_checkpoint(2));
  const EncodedText text = long_text();
  REQUIRE(batch_by_length(text.target).batches.size() > 1);
  const auto moments_found = [&] { return all_moments(model, text); };
  const auto one = on_threads(1, moments_found);
  const auto three = on_threads(3, moments_found);
  for (const auto& [name, moments] : one) {
    CHECK(moments.sum == three.at(name).sum);
    CHECK(moments.second == three.at(name).second);
  }
}

TEST_CASE("a calibration needs a target for every source") {
  Transformer model(tiny_checkpoint(3));
  EncodedText text = tiny_text();
  text.target.pop_back();
  CHECK_THROWS_AS(input_moments(model, text, {}), ConfigError);
  CHECK_THROWS_AS(input_moments(model, {}, {}), ConfigError);
}

TEST_CASE("frequencies are counts by sentence") {
  const Checkpoint checkpoint = tiny_checkpoint(4);
  const EncodedText text = tiny_text();
  const TokenFrequencies found = token_frequencies(checkpoint, text.source, text.target);
  REQUIRE(found.source.size() == static_cast<std::size_t>(checkpoint.source_vocabulary.size()));
  REQUIRE(found.target.size() == static_cast<std::size_t>(checkpoint.target_vocabulary.size()));
  CHECK(found.source[Vocabulary::kEos] == 1.0);
  CHECK(found.source[5] == 0.5);
  CHECK(found.source[3] == 0.0);
  CHECK(found.target[12] == 0.25);
  CHECK(found.least == 0.25);
  // One side may be longer than the other, or empty.
  CHECK(token_frequencies(checkpoint, text.source, {}).source == found.source);
  CHECK(token_frequencies(checkpoint, text.source, {}).target[12] == 0.0);
}

TEST_CASE("words that occur count more") {
  const Checkpoint checkpoint = tiny_checkpoint(5);
  const EncodedText text = tiny_text();
  const RowWeights weights =
      table_row_weights(checkpoint, token_frequencies(checkpoint, text.source, text.target));
  REQUIRE(weights.size() == 2);
  const std::vector<double>& source = weights.at(kEncoderTable);
  CHECK(source[5] > source[6]);  // twice, once
  CHECK(source[6] > source[3]);  // once, never
  CHECK(source[Vocabulary::kEos] == *std::ranges::max_element(source));
  double sum = 0.0;
  for (const double weight : source) {
    CHECK(weight > 0.0);
    sum += weight;
  }
  CHECK(sum == Approx(static_cast<double>(source.size())));
  // Nobody has seen a word: all count the same.
  const RowWeights blind = table_row_weights(checkpoint, token_frequencies(checkpoint, {}, {}));
  for (const double weight : blind.at(kDecoderTable)) {
    CHECK(weight == Approx(1.0));
  }
}
