#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <regex>

#include "formats/models/model_file.h"
#include "golden_file.h"
#include "model/decoding/beam_search.h"
#include "model/decoding/scoring.h"
#include "model/training/training_loss.h"

// The model against the reference implementation, on tiny checkpoints with random weights.
namespace ltz {
namespace {

constexpr double kTolerance = 1e-4;

const std::filesystem::path kGolden = LTZ_GOLDEN_DIR;

double largest_difference(const Matrix& found, const std::vector<float>& expected) {
  REQUIRE(static_cast<std::size_t>(found.size()) == expected.size());
  double largest = 0.0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(found.data()[i]) - expected[i]));
  }
  return largest;
}

// "beam4_lenpen0.6_maxlen1.2x+10"
BeamOptions parse_search(const std::string& name) {
  static const std::regex pattern(R"(beam(\d+)_lenpen([\d.]+)_maxlen([\d.]+)x\+(\d+))");
  std::smatch match;
  REQUIRE(std::regex_match(name, match, pattern));
  return {.beam = std::stoi(match[1]),
          .lenpen = std::stod(match[2]),
          .max_len_a = std::stod(match[3]),
          .max_len_b = std::stoi(match[4])};
}

void require_same(const Hypothesis& found, const test::GoldenHypothesis& expected) {
  CHECK(found.tokens == expected.tokens);
  const double tolerance = kTolerance * static_cast<double>(expected.tokens.size());
  CHECK(found.score == Approx(expected.score).margin(tolerance));
  REQUIRE(found.positional_scores.size() == expected.positional_scores.size());
  for (std::size_t i = 0; i < found.positional_scores.size(); ++i) {
    CHECK(found.positional_scores[i] == Approx(expected.positional_scores[i]).margin(tolerance));
  }
}

}  // namespace

TEST_CASE("a model computes what the reference computes") {
  const std::string variant =
      GENERATE("iwslt-lightweight", "wmt-dynamic-glu", "prenorm-lightweight", "transformer-base",
               "iwslt-lightweight-fp16", "iwslt-lightweight-legacy", "wmt-dynamic-glu-legacy");
  CAPTURE(variant);
  const Checkpoint checkpoint =
      formats::read_model(kGolden / variant / "checkpoint.pt", {}).checkpoint;
  const Transformer model(checkpoint);
  const test::GoldenFile golden((kGolden / variant / "golden.h5").string());
  REQUIRE(golden.sentences() == 8);

  std::vector<TokenIds> sources;
  std::vector<TokenIds> targets;
  for (int s = 0; s < golden.sentences(); ++s) {
    const std::string name = "sentence" + std::to_string(s);
    sources.push_back(golden.tokens(name + "/src"));
    targets.push_back(golden.tokens(name + "/tgt"));
  }

  SECTION("encoder output and logits, one sentence at a time") {
    for (std::size_t s = 0; s < sources.size(); ++s) {
      CAPTURE(s);
      const std::string name = "sentence" + std::to_string(s);
      const std::span source(&sources[s], 1);
      CHECK(largest_difference(model.encode(source).output, golden.floats(name + "/encoder_out")) <
            kTolerance);
      const Matrix features = teacher_forced_features(model, source, std::span(&targets[s], 1));
      CHECK(largest_difference(model.logits(features), golden.floats(name + "/logits")) <
            kTolerance);
    }
  }

  SECTION("encoder output and logits, all sentences in one batch") {
    const Matrix encoded = model.encode(sources).output;
    const Matrix logits = model.logits(teacher_forced_features(model, sources, targets));
    Eigen::Index source_row = 0;
    Eigen::Index target_row = 0;
    for (std::size_t s = 0; s < sources.size(); ++s) {
      CAPTURE(s);
      const std::string name = "sentence" + std::to_string(s);
      const auto source_rows = static_cast<Eigen::Index>(sources[s].size());
      const auto target_rows = static_cast<Eigen::Index>(targets[s].size());
      CHECK(largest_difference(encoded.middleRows(source_row, source_rows),
                               golden.floats(name + "/encoder_out")) < kTolerance);
      CHECK(largest_difference(logits.middleRows(target_row, target_rows),
                               golden.floats(name + "/logits")) < kTolerance);
      source_row += source_rows;
      target_row += target_rows;
    }
  }

  SECTION("every hypothesis of every beam search, all sentences in one batch") {
    for (const std::string& search : golden.searches("sentence0")) {
      CAPTURE(search);
      const auto found = beam_search(model, sources, parse_search(search));
      REQUIRE(found.size() == sources.size());
      for (std::size_t s = 0; s < sources.size(); ++s) {
        CAPTURE(s);
        const auto expected = golden.hypotheses("sentence" + std::to_string(s) + "/" + search);
        REQUIRE(found[s].size() == expected.size());
        for (std::size_t h = 0; h < expected.size(); ++h) {
          CAPTURE(h);
          require_same(found[s][h], expected[h]);
        }
      }
    }
  }

  SECTION("gradients of the mean loss, tensor by tensor") {
    Gradients gradients(checkpoint.config);
    const TrainingLoss loss =
        backward(model, nullptr, sources, targets, {.label_smoothing = 0.0}, gradients);
    for (const auto& [name, found] : gradients.values()) {
      CAPTURE(name);
      const std::vector<float> expected = golden.floats("gradients/" + name);
      REQUIRE(found.size() == expected.size());
      double difference = 0.0;
      double length = 0.0;
      for (std::size_t i = 0; i < expected.size(); ++i) {
        const double mean = found[i] / static_cast<double>(loss.reference.tokens);
        difference += std::pow(mean - expected[i], 2);
        length += std::pow(expected[i], 2);
      }
      CHECK(std::sqrt(difference) <= 1e-3 * std::sqrt(length) + 1e-7);
    }
  }
}

}  // namespace ltz
