#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

#include "formats/bytes/config_json.h"
#include "formats/fairseq/weights.h"
#include "formats/hdf5/hdf5.h"
#include "formats/ltz/ltz.h"
#include "model/decoding/scoring.h"
#include "tests/support/plain_model.h"
#include "tests/support/random_architecture.h"
#include "tests/support/tiny_checkpoint.h"

// The fast implementation against the plain one, over every architecture of the family.
namespace ltz {
namespace {

constexpr unsigned kArchitectures = 160;
constexpr double kTolerance = 1e-4;

// Of different lengths, shorter and longer than the kernels, the empty one included.
constexpr auto kLengths = {4, 0, 1, 12, 2};

// The largest difference, relative to the largest number where that is above 1.
double difference(const Matrix& found, Eigen::Index first_row, const PlainModel::Rows& expected) {
  double largest = 1.0;
  double difference = 0.0;
  for (std::size_t t = 0; t < expected.size(); ++t) {
    REQUIRE(static_cast<std::size_t>(found.cols()) == expected[t].size());
    for (std::size_t c = 0; c < expected[t].size(); ++c) {
      const double value =
          found(first_row + static_cast<Eigen::Index>(t), static_cast<Eigen::Index>(c));
      largest = std::max(largest, std::abs(expected[t][c]));
      difference = std::max(difference, std::abs(value - expected[t][c]));
    }
  }
  return difference / largest;
}

// Features of every target, decoded a token at a time, all sentences side by side; those that are
// at their end drop out.
std::vector<Matrix> decode_step_by_step(const Transformer& model,
                                        const std::vector<TokenIds>& sources,
                                        const std::vector<TokenIds>& targets) {
  const EncodedBatch encoded = model.encode(sources);
  DecoderState state = model.start_decoding(encoded);
  std::vector<std::vector<std::int32_t>> source_rows;
  for (std::size_t s = 0; s < sources.size(); ++s) {
    source_rows.push_back(attended_rows(sources[s], encoded.starts[s]));
  }
  std::vector<std::vector<std::int32_t>> history(targets.size());
  std::vector<Matrix> features(targets.size());
  std::int32_t memory_rows = 0;
  for (std::size_t step = 0;; ++step) {
    std::vector<DecoderRow> rows;
    std::vector<std::size_t> of;
    for (std::size_t s = 0; s < targets.size(); ++s) {
      if (step < targets[s].size()) {
        history[s].push_back(memory_rows++);
        rows.push_back({.token = step == 0 ? Vocabulary::kEos : targets[s][step - 1],
                        .position = static_cast<int>(step),
                        .history = history[s],
                        .source_rows = source_rows[s]});
        of.push_back(s);
      }
    }
    if (rows.empty()) {
      return features;
    }
    const Matrix out = model.decode(state, rows);
    for (std::size_t i = 0; i < of.size(); ++i) {
      Matrix& own = features[of[i]];
      own.conservativeResize(own.rows() + 1, out.cols());
      own.bottomRows(1) = out.row(static_cast<Eigen::Index>(i));
    }
  }
}

// <pad> as a word of the text: in front, in the middle, twice, and as all of a sentence.
void add_padding(std::vector<TokenIds>& sentences) {
  sentences[0].insert(sentences[0].begin(), Vocabulary::kPad);
  sentences[1].insert(sentences[1].begin(), Vocabulary::kPad);
  sentences[3][4] = sentences[3][5] = Vocabulary::kPad;
  sentences[4].insert(sentences[4].end() - 1, Vocabulary::kPad);
}

}  // namespace

TEST_CASE("the random architectures leave nothing out", "[architectures]") {
  std::set<std::string> found;
  for (unsigned seed = 0; seed < kArchitectures; ++seed) {
    found.merge(features_of(random_architecture(seed)));
  }
  std::vector<std::string> expected = {"convolution only", "transformer", "one table", "two tables",
                                       "three tables",     "ReLU",        "GELU",      "one width",
                                       "two widths"};
  for (const std::string stack : {"encoder: ", "decoder: "}) {
    for (const char* feature : {"0 branches",
                                "1 branches",
                                "2 branches",
                                "3 branches",
                                "4 branches",
                                "1 layers",
                                "2 layers",
                                "3 layers",
                                "even width",
                                "odd width",
                                "pre-norm",
                                "post-norm",
                                "final norm",
                                "no final norm",
                                "no positions",
                                "learned positions",
                                "sinusoidal positions",
                                "attention",
                                "dynamic convolution alone",
                                "dynamic convolution with GLU",
                                "dynamic convolution with linear layers",
                                "dynamic convolution with softmax",
                                "dynamic convolution without softmax",
                                "lightweight convolution alone",
                                "lightweight convolution with GLU",
                                "lightweight convolution with linear layers",
                                "lightweight convolution with softmax",
                                "lightweight convolution without softmax",
                                "conv_channels",
                                "no conv_channels",
                                "default kernels",
                                "fixed kernels",
                                "one tap",
                                "long kernel",
                                "even",
                                "odd"}) {
      expected.push_back(stack + feature);
    }
  }
  for (const std::string& feature : expected) {
    CAPTURE(feature);
    CHECK(found.contains(feature));
  }
}

TEST_CASE("every architecture computes what the plain model computes", "[architectures]") {
  for (unsigned seed = 0; seed < kArchitectures; ++seed) {
    const ModelConfig config = random_architecture(seed);
    CAPTURE(seed, formats::config_text(config));
    REQUIRE_NOTHROW(validate(config));
    const Checkpoint checkpoint = random_checkpoint(config, seed + 1000);
    const Transformer model(checkpoint);
    const PlainModel plain(checkpoint);
    std::vector<TokenIds> sources = some_sentences(kLengths, config.source_vocabulary_size, 3);
    if (seed % 2 == 1) {
      add_padding(sources);
    }
    std::vector<TokenIds> targets = some_sentences(kLengths, config.target_vocabulary_size, 5);
    std::swap(targets.front(), targets.back());

    constexpr int kPadded = 15;
    const EncodedBatch together = model.encode(sources);
    const EncodedBatch padded = model.encode(sources, kPadded);
    const Matrix logits = model.logits(teacher_forced_features(model, sources, targets));
    const std::vector<Matrix> stepwise = decode_step_by_step(model, sources, targets);
    Eigen::Index source_row = 0;
    Eigen::Index target_row = 0;
    for (std::size_t s = 0; s < sources.size(); ++s) {
      CAPTURE(s);
      const std::span source(&sources[s], 1);
      const std::span target(&targets[s], 1);
      const PlainModel::Rows encoded = plain.encode(sources[s]);
      CHECK(difference(together.output, source_row, encoded) < kTolerance);
      CHECK(difference(model.encode(source).output, 0, encoded) < kTolerance);
      CHECK(difference(padded.output, source_row, plain.encode(sources[s], kPadded)) < kTolerance);

      const PlainModel::Rows expected = plain.logits(sources[s], targets[s]);
      CHECK(difference(logits, target_row, expected) < kTolerance);
      CHECK(difference(model.logits(teacher_forced_features(model, source, target)), 0, expected) <
            kTolerance);
      CHECK(difference(model.logits(stepwise[s]), 0, expected) < kTolerance);
      source_row += static_cast<Eigen::Index>(sources[s].size());
      target_row += static_cast<Eigen::Index>(targets[s].size());
    }
  }
}

TEST_CASE("every architecture comes back from JSON as it was", "[architectures]") {
  for (unsigned seed = 0; seed < kArchitectures; ++seed) {
    const ModelConfig config = random_architecture(seed);
    CAPTURE(seed);
    CHECK(formats::config_from_json(formats::to_json(config)) == config);
    CHECK(formats::config_from_text(formats::config_text(config)) == config);
  }
}

TEST_CASE("every architecture fits into both files of ltz", "[architectures]") {
  for (unsigned seed = 0; seed < kArchitectures; seed += 4) {
    CAPTURE(seed);
    const Checkpoint checkpoint = random_checkpoint(random_architecture(seed), seed);
    const Checkpoint packed = formats::decode_ltz(formats::encode_ltz(checkpoint), "f.ltz");
    CHECK(packed.config == checkpoint.config);
    CHECK(packed.tensors == checkpoint.tensors);
    const Checkpoint open = formats::decode_hdf5(formats::encode_hdf5(checkpoint), "f.h5");
    CHECK(open.config == checkpoint.config);
    CHECK(open.tensors == checkpoint.tensors);
  }
}

TEST_CASE("parameters of every architecture have a name of fairseq and get back from it",
          "[architectures]") {
  for (unsigned seed = 0; seed < kArchitectures; ++seed) {
    const ModelConfig config = random_architecture(seed);
    std::set<std::string> fairseq;
    for (const ParameterSpec& spec : parameter_specs(config)) {
      CAPTURE(seed, spec.name);
      const std::string name = formats::fairseq_name(config, spec.name);
      CHECK(formats::canonical_name(config, name) == spec.name);
      CHECK((is_convolution_only(config) || name == spec.name));
      CHECK(fairseq.insert(name).second);
    }
  }
}

TEST_CASE("padding reaches a convolution through the linear layer of some models only",
          "[architectures]") {
  bool differed[2] = {false, false};
  for (unsigned seed = 0; seed < kArchitectures; ++seed) {
    const ModelConfig config = random_architecture(seed);
    const Transformer model(random_checkpoint(config, seed));
    const std::vector<TokenIds> source = {{Vocabulary::kUnk, Vocabulary::kEos}};
    const bool same = model.encode(source).output == model.encode(source, 9).output;
    differed[is_convolution_only(config) ? 1 : 0] |= !same;
  }
  CHECK(differed[0]);
  CHECK_FALSE(differed[1]);
}

}  // namespace ltz
