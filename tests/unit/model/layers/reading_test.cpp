#include <catch2/catch.hpp>
#include <map>
#include <numeric>
#include <optional>

#include "model/base/error.h"
#include "model/decoding/scoring.h"
#include "model/layers/transformer.h"
#include "tests/support/random_architecture.h"
#include "tests/support/tiny_calibration.h"
#include "tests/support/tiny_checkpoint.h"

using namespace ltz;

namespace {

constexpr unsigned kArchitectures = 24;

// Of different lengths, one with nothing but its end.
constexpr auto kLengths = {4, 0, 9, 2};

float difference(const Matrix& a, const Matrix& b) {
  REQUIRE(a.rows() == b.rows());
  REQUIRE(a.cols() == b.cols());
  return (a - b).cwiseAbs().maxCoeff() / std::max(b.cwiseAbs().maxCoeff(), 1.0f);
}

void read_to_the_end(const Transformer& model, Reading& reading) {
  while (reading.sublayers < number_of_sublayers(model.config())) {
    model.read_on(reading);
  }
}

// What decode makes of each target, read as far as it goes, one sentence after the other.
Matrix decoded(const Transformer& model, const std::vector<TokenIds>& sources,
               const std::vector<TokenIds>& targets) {
  std::vector<Matrix> features;
  Eigen::Index tokens = 0;
  for (std::size_t s = 0; s < sources.size(); ++s) {
    const EncodedBatch encoded = model.encode(std::span(&sources[s], 1));
    DecoderState state = model.start_decoding(encoded);
    std::vector<std::int32_t> history(targets[s].size());
    std::iota(history.begin(), history.end(), 0);
    std::vector<std::int32_t> source(sources[s].size());
    std::iota(source.begin(), source.end(), 0);
    for (std::size_t i = 0; i < targets[s].size(); ++i) {
      const DecoderRow row = {.token = i == 0 ? Vocabulary::kEos : targets[s][i - 1],
                              .position = static_cast<int>(i),
                              .history = std::span(history).first(i + 1),
                              .source_rows = source};
      features.push_back(model.decode(state, std::span(&row, 1)));
      ++tokens;
    }
  }
  Matrix all(tokens, features.front().cols());
  for (Eigen::Index i = 0; i < tokens; ++i) {
    all.row(i) = features[static_cast<std::size_t>(i)];
  }
  return all;
}

Reading start(const Transformer& model) {
  const EncodedText text = tiny_text();
  return model.start_reading(text.source, text.target);
}

}  // namespace

TEST_CASE("reading on through all sublayers is teacher forcing") {
  std::set<std::string> features;
  for (unsigned seed = 0; seed < kArchitectures; ++seed) {
    CAPTURE(seed);
    const ModelConfig config = random_architecture(seed);
    features.merge(features_of(config));
    const Transformer model(random_checkpoint(config, seed));
    const std::vector<TokenIds> sources =
        some_sentences(kLengths, config.source_vocabulary_size, 3);
    std::vector<TokenIds> targets = some_sentences(kLengths, config.target_vocabulary_size, 5);
    std::swap(targets.front(), targets.back());
    Reading reading = model.start_reading(sources, targets);
    CHECK(reading.sublayers == 0);
    read_to_the_end(model, reading);
    CHECK(difference(reading.source, model.encode(sources).output) < 1e-6f);
    CHECK(difference(reading.target, decoded(model, sources, targets)) < 1e-6f);
  }
  for (const char* feature :
       {"encoder: pre-norm", "encoder: post-norm", "decoder: pre-norm", "decoder: post-norm",
        "one table", "two tables", "three tables", "convolution only", "two widths",
        "encoder: 0 branches", "decoder: 0 branches", "encoder: no final norm"}) {
    CAPTURE(feature);
    CHECK(features.contains(feature));
  }
}

TEST_CASE("a copy of a reading goes on by itself") {
  const Transformer model(tiny_checkpoint(1));
  std::optional<Reading> first = start(model);
  model.read_on(*first);
  Reading copy = *first;
  const Reading before = copy;
  read_to_the_end(model, *first);
  const Matrix features = first->target;
  first.reset();
  CHECK(copy.sublayers == 1);
  CHECK(copy.source == before.source);
  CHECK(copy.target == before.target);
  read_to_the_end(model, copy);
  CHECK(copy.target == features);
}

TEST_CASE("every matrix is used by the sublayer that it belongs to") {
  for (unsigned seed = 0; seed < 2 * kArchitectures; ++seed) {
    CAPTURE(seed);
    const ModelConfig config =
        seed < kArchitectures ? random_architecture(seed) : random_language_model(seed);
    Transformer model(random_checkpoint(config, seed));
    const auto [sources, targets] = some_text(kLengths, config);
    Reading reading = model.start_reading(sources, targets);
    std::map<std::string, int> used;
    model.observe_inputs([&](const std::string& matrix, MatrixView) {
      CHECK(used.emplace(matrix, reading.sublayers).second);
    });
    read_to_the_end(model, reading);
    for (const ParameterSpec& spec : parameter_specs(config)) {
      if (spec.component == Component::kEmbedding && spec.role == Role::kMatrix) {
        continue;  // of adaptive inputs and outputs, outside of the sublayers
      }
      CAPTURE(spec.name);
      REQUIRE(used.contains(spec.name) == (spec.role == Role::kMatrix));
      if (spec.role == Role::kMatrix) {
        const int sublayer = sublayer_of(config, spec);
        CHECK(used.at(spec.name) == sublayer);
        CHECK(in_encoder(config, sublayer) ==
              (spec.stack == Stack::kEncoder && spec.component != Component::kCrossAttention));
      }
    }
  }
}

TEST_CASE("the tiny model has five sublayers") {
  const ModelConfig config = tiny_checkpoint(2).config;
  CHECK(number_of_sublayers(config) == 5);
  CHECK(in_encoder(config, 1));
  CHECK_FALSE(in_encoder(config, 2));
}

TEST_CASE("an encoder sublayer leaves the target alone, a decoder sublayer the source") {
  const Transformer model(tiny_checkpoint(3));
  Reading reading = start(model);
  while (reading.sublayers < 5) {
    const Reading before = reading;
    model.read_on(reading);
    CHECK((reading.source == before.source) == (before.sublayers >= 2));
    CHECK((reading.target == before.target) == (before.sublayers < 2));
  }
}

TEST_CASE("a reading refuses what the model cannot read") {
  const Transformer model(tiny_checkpoint(4));
  const std::vector<TokenIds> one = {{4, 2}};
  const std::vector<TokenIds> two = {{4, 2}, {5, 2}};
  const std::vector<TokenIds> too_long = {TokenIds(65, 4)};
  const std::vector<TokenIds> unknown = {{1000, 2}};
  CHECK_THROWS_WITH(model.start_reading(one, two),
                    "expected as many targets as sources, found 2 and 1");
  CHECK_THROWS_WITH(model.start_reading(too_long, one),
                    "a source sentence has 65 tokens, the model takes at most 64");
  CHECK_THROWS_WITH(model.start_reading(one, too_long),
                    "a target sentence has 65 tokens, the model takes at most 64");
  CHECK_THROWS_AS(model.start_reading(unknown, one), ConfigError);
  CHECK_THROWS_AS(model.start_reading(one, unknown), ConfigError);
}
