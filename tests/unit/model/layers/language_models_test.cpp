#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <set>

#include "formats/bytes/config_json.h"
#include "formats/hdf5/hdf5.h"
#include "formats/ltz/ltz.h"
#include "model/checkpoint/bands.h"
#include "model/decoding/scoring.h"
#include "model/layers/adaptive_softmax.h"
#include "tests/support/plain_model.h"
#include "tests/support/random_architecture.h"
#include "tests/support/tiny_checkpoint.h"

// Language models of every kind against the plain implementation, and what is tied in them.
namespace ltz {
namespace {

constexpr unsigned kModels = 160;
constexpr double kTolerance = 1e-4;
constexpr auto kLengths = {4, 0, 1, 12, 2};

// The largest difference of the log probabilities that logits stand for.
double difference(Matrix logits, const PlainModel::Rows& expected) {
  REQUIRE(static_cast<std::size_t>(logits.rows()) == expected.size());
  double largest = 0.0;
  for (std::size_t t = 0; t < expected.size(); ++t) {
    const auto row = static_cast<Eigen::Index>(t);
    REQUIRE(static_cast<std::size_t>(logits.cols()) == expected[t].size());
    for (std::size_t w = 0; w < expected[t].size(); ++w) {
      const double scale = std::max(1.0, std::abs(expected[t][w]));
      largest = std::max(
          largest, std::abs(logits(row, static_cast<Eigen::Index>(w)) - expected[t][w]) / scale);
    }
  }
  return largest;
}

Matrix features_of_targets(const Transformer& model, const std::vector<TokenIds>& targets) {
  return teacher_forced_features(model, std::vector<TokenIds>(targets.size()), targets);
}

// A token at a time.
Matrix decode_step_by_step(const Transformer& model, const TokenIds& target) {
  DecoderState state = model.start_decoding();
  const TokenIds inputs = decoder_inputs(model.config(), target);
  std::vector<std::int32_t> history;
  Matrix features(static_cast<Eigen::Index>(inputs.size()), model.config().decoder.embed_dim);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    history.push_back(static_cast<std::int32_t>(i));
    const DecoderRow row = {
        .token = inputs[i], .position = static_cast<int>(i), .history = history};
    features.row(static_cast<Eigen::Index>(i)) = model.decode(state, std::span(&row, 1));
  }
  return features;
}

}  // namespace

TEST_CASE("the random language models leave nothing out", "[architectures]") {
  std::set<std::string> found;
  for (unsigned seed = 0; seed < kModels; ++seed) {
    found.merge(features_of(random_language_model(seed)));
  }
  for (const char* feature : {"<s>",
                              "no <s>",
                              "input in 0 bands",
                              "input in 1 bands",
                              "input in 2 bands",
                              "input in 3 bands",
                              "input in 4 bands",
                              "output in 0 bands",
                              "output in 1 bands",
                              "output in 2 bands",
                              "output in 3 bands",
                              "output in 4 bands",
                              "input as wide",
                              "narrow input",
                              "wide input",
                              "one table",
                              "a table of its own",
                              "tied tables",
                              "tied projections",
                              "other bands",
                              "only the output in bands",
                              "decoder: 0 branches",
                              "decoder: 3 branches",
                              "decoder: learned positions",
                              "decoder: no positions",
                              "decoder: sinusoidal positions",
                              "decoder: final norm",
                              "decoder: no final norm",
                              "decoder: dynamic convolution with GLU",
                              "decoder: lightweight convolution alone"}) {
    CAPTURE(feature);
    CHECK(found.contains(feature));
  }
}

TEST_CASE("every language model computes what the plain model computes", "[architectures]") {
  for (unsigned seed = 0; seed < kModels; ++seed) {
    const ModelConfig config = random_language_model(seed);
    CAPTURE(seed, formats::config_text(config));
    REQUIRE_NOTHROW(validate(config));
    const Checkpoint checkpoint = random_checkpoint(config, seed + 1000);
    const Transformer model(checkpoint);
    const PlainModel plain(checkpoint);
    const auto [sources, targets] = some_text(kLengths, config);
    const Matrix together = model.logits(features_of_targets(model, targets));
    Eigen::Index first = 0;
    for (const TokenIds& target : targets) {
      const auto rows = static_cast<Eigen::Index>(target.size());
      const PlainModel::Rows expected = plain.logits({}, target);
      CHECK(difference(together.middleRows(first, rows), expected) < kTolerance);
      CHECK(difference(model.logits(features_of_targets(model, {target})), expected) < kTolerance);
      CHECK(difference(model.logits(decode_step_by_step(model, target)), expected) < kTolerance);
      first += rows;
    }
  }
}

TEST_CASE("a word's log probability needs only its band", "[architectures]") {
  for (unsigned seed = 0; seed < kModels; ++seed) {
    CAPTURE(seed);
    const ModelConfig config = random_language_model(seed);
    if (config.adaptive_softmax.cutoffs.empty()) {
      continue;
    }
    const Transformer model(random_checkpoint(config, seed));
    const auto [sources, targets] = some_text({7}, config);
    const Matrix features = features_of_targets(model, targets);
    const Matrix all = model.logits(features);
    const std::vector<float> found =
        model.adaptive_softmax()->log_probabilities(features, targets[0]);
    for (std::size_t i = 0; i < found.size(); ++i) {
      CHECK(found[i] == Approx(all(static_cast<Eigen::Index>(i), targets[0][i])).margin(1e-5));
      CHECK(all.row(static_cast<Eigen::Index>(i)).array().exp().sum() == Approx(1.0).epsilon(1e-5));
    }
  }
}

TEST_CASE("int8 language models are near those of floats", "[architectures]") {
  for (unsigned seed = 0; seed < kModels; seed += 4) {
    CAPTURE(seed);
    const ModelConfig config = random_language_model(seed);
    const Checkpoint checkpoint = random_checkpoint(config, seed);
    const Transformer floats(checkpoint);
    const Transformer bytes(checkpoint, Arithmetic::kInt8);
    const auto [sources, targets] = some_text(kLengths, config);
    const double expected = negative_log_likelihood(floats, sources, targets).mean();
    CHECK(negative_log_likelihood(bytes, sources, targets).mean() ==
          Approx(expected).epsilon(0.05).margin(0.1));
  }
}

TEST_CASE("whatever is replaced, the model is the one that is made of these values",
          "[architectures]") {
  for (unsigned seed = 0; seed < kModels; seed += 2) {
    CAPTURE(seed);
    const ModelConfig config = random_language_model(seed);
    const auto [sources, targets] = some_text({5, 3}, config);
    Checkpoint checkpoint = random_checkpoint(config, seed);
    Transformer model(checkpoint);
    for (const ParameterSpec& spec : parameter_specs(config)) {
      if (spec.component != Component::kEmbedding) {
        continue;
      }
      CAPTURE(spec.name);
      Tensor& tensor = checkpoint.tensors.at(spec.name);
      std::vector<float> values = tensor.values();
      std::ranges::transform(values, values.begin(), [](float value) { return -0.5f * value; });
      tensor = dense_tensor(spec.shape, values);
      model.replace(spec.name, values);
      const Transformer fresh(checkpoint);
      CHECK(model.logits(features_of_targets(model, targets)) ==
            fresh.logits(features_of_targets(fresh, targets)));
    }
  }
}

TEST_CASE("every matrix and every table of the output is observed under its own name",
          "[architectures]") {
  for (unsigned seed = 0; seed < kModels; ++seed) {
    CAPTURE(seed);
    const ModelConfig config = random_language_model(seed);
    Transformer model(random_checkpoint(config, seed));
    std::set<std::string> observed;
    model.observe_inputs([&](const std::string& name, MatrixView) { observed.insert(name); });
    // Every word once, so that every band is read.
    TokenIds target;
    for (int token = 0; token < config.target_vocabulary_size; ++token) {
      target.push_back(token);
    }
    model.logits(features_of_targets(model, {target, {0, 1, target.back(), target.back(), 2}}));
    std::set<std::string> expected;
    for (const ParameterSpec& spec : parameter_specs(config)) {
      if (spec.role == Role::kMatrix) {
        expected.insert(spec.name);
      }
    }
    const std::size_t bands = output_bands(config).size();
    for (std::size_t b = 0; b < bands; ++b) {
      expected.insert(output_table(config, b));
    }
    if (bands == 0) {
      expected.insert(output_table(config));
    }
    CHECK(observed == expected);
  }
}

TEST_CASE("every language model comes back from JSON and both files as it was", "[architectures]") {
  for (unsigned seed = 0; seed < kModels; ++seed) {
    CAPTURE(seed);
    const ModelConfig config = random_language_model(seed);
    CHECK(formats::config_from_json(formats::to_json(config)) == config);
    CHECK(formats::config_from_text(formats::config_text(config)) == config);
    if (seed % 4 != 0) {
      continue;
    }
    const Checkpoint checkpoint = with_all_encodings(random_checkpoint(config, seed), seed);
    for (const Checkpoint& read :
         {formats::decode_ltz(formats::encode_ltz(checkpoint), "f.ltz"),
          formats::decode_hdf5(formats::encode_hdf5(checkpoint), "f.h5")}) {
      CHECK(read.config == checkpoint.config);
      CHECK(read.source_vocabulary.words().empty());
      CHECK(read.target_vocabulary == checkpoint.target_vocabulary);
      CHECK(read.tensors == checkpoint.tensors);
    }
  }
}

}  // namespace ltz
