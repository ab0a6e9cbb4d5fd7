#include <catch2/catch.hpp>
#include <filesystem>

#include "formats/models/model_file.h"
#include "golden_checks.h"
#include "golden_file.h"
#include "model/decoding/beam_search.h"
#include "model/decoding/scoring.h"
#include "model/training/training_loss.h"

// The model against the reference implementation, on tiny checkpoints with random weights.
namespace ltz {
namespace {

using namespace test;

const std::filesystem::path kGolden = LTZ_GOLDEN_DIR;

std::vector<float> all_of(const Matrix& matrix) {
  return {matrix.data(), matrix.data() + matrix.size()};
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
      CHECK(largest_difference(all_of(model.encode(source).output),
                               golden.floats(name + "/encoder_out")) < kTolerance);
      const Matrix features = teacher_forced_features(model, source, std::span(&targets[s], 1));
      CHECK(largest_difference(all_of(model.logits(features)), golden.floats(name + "/logits")) <
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
      CHECK(largest_difference(all_of(encoded.middleRows(source_row, source_rows)),
                               golden.floats(name + "/encoder_out")) < kTolerance);
      CHECK(largest_difference(all_of(logits.middleRows(target_row, target_rows)),
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
        check_same(found[s], golden.hypotheses("sentence" + std::to_string(s) + "/" + search));
      }
    }
  }

  SECTION("gradients of the mean loss, tensor by tensor") {
    Gradients gradients(checkpoint.config);
    const TrainingLoss loss =
        backward(model, nullptr, sources, targets, {.label_smoothing = 0.0}, gradients);
    check_gradients(gradients, loss.reference.tokens, golden);
  }
}

}  // namespace ltz
