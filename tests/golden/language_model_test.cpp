#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <map>
#include <regex>

#include "formats/models/model_file.h"
#include "golden_checks.h"
#include "golden_file.h"
#include "model/decoding/beam_search.h"
#include "model/decoding/continuation.h"
#include "model/decoding/language_scoring.h"
#include "model/decoding/scoring.h"
#include "model/training/training_loss.h"

// Language models against the reference implementation, on tiny checkpoints with random weights.
namespace ltz {
namespace {

using namespace test;

const std::filesystem::path kModels = std::filesystem::path(LTZ_GOLDEN_DIR) / "language-models";

// Whose weights these are, and so whose outputs.
std::string weights_of(const std::string& variant) {
  for (const char* copy : {"-legacy", "-averaged", "-stock"}) {
    if (variant.ends_with(copy)) {
      return variant.substr(0, variant.size() - std::string(copy).size());
    }
  }
  return variant;
}

Checkpoint read(const std::string& variant) {
  return formats::read_model(kModels / variant / "checkpoint.pt",
                             {.target_dict = kModels / "dict.txt"})
      .checkpoint;
}

std::span<const float> all_of(const Matrix& matrix) {
  return {matrix.data(), static_cast<std::size_t>(matrix.size())};
}

// "complete_tps48_cw16"
BlockOptions parse_mode(const std::string& name) {
  static const std::regex pattern(R"((none|complete|eos)_tps(\d+)_cw(\d+))");
  std::smatch match;
  REQUIRE(std::regex_match(name, match, pattern));
  const std::map<std::string, SampleBreak> modes = {{"none", SampleBreak::kNone},
                                                    {"complete", SampleBreak::kComplete},
                                                    {"eos", SampleBreak::kEos}};
  return {.mode = modes.at(match[1]),
          .tokens_per_sample = std::stoi(match[2]),
          .context_window = std::stoi(match[3])};
}

// The lines of a stream, each with its </s>.
std::vector<TokenIds> lines_of(const std::vector<int>& stream, const std::vector<int>& lengths) {
  std::vector<TokenIds> lines;
  auto from = stream.begin();
  for (const int length : lengths) {
    lines.emplace_back(from, from + length);
    from += length;
  }
  return lines;
}

const std::vector<std::string> kVariants = {"dynamic-glu-finalnorm",
                                            "lightweight-nosoftmax-nopos",
                                            "lsra-adaptive-tied",
                                            "lsra-adaptive-tied-legacy",
                                            "lsra-adaptive-tied-averaged",
                                            "lsra-adaptive-tied-narrow",
                                            "lsra-adaptive-untied",
                                            "lsra-shared",
                                            "vanilla-adaptive",
                                            "vanilla-adaptive-stock",
                                            "vanilla-gpt",
                                            "vanilla-gpt-bos"};

}  // namespace

TEST_CASE("a language model computes what the reference computes") {
  const std::string variant = GENERATE(from_range(kVariants));
  CAPTURE(variant);
  const Checkpoint checkpoint = read(variant);
  const Transformer model(checkpoint);
  const test::GoldenFile golden((kModels / weights_of(variant) / "golden.h5").string());
  REQUIRE(golden.sentences() == 8);

  std::vector<TokenIds> targets;
  for (int s = 0; s < golden.sentences(); ++s) {
    targets.push_back(golden.tokens("sentence" + std::to_string(s) + "/tokens"));
  }
  const std::vector<TokenIds> sources(targets.size());

  SECTION("features and log probabilities, sentence by sentence") {
    for (std::size_t s = 0; s < targets.size(); ++s) {
      CAPTURE(s);
      const std::string name = "sentence" + std::to_string(s);
      CHECK(decoder_inputs(checkpoint.config, targets[s]) == golden.tokens(name + "/source"));
      const Matrix features = teacher_forced_features(model, {&sources[s], 1}, {&targets[s], 1});
      CHECK(largest_difference(all_of(features), golden.floats(name + "/features")) < kTolerance);
      CHECK(largest_difference(log_probabilities(model, features, targets[s]),
                               golden.floats(name + "/log_probs")) < kTolerance);
      if (golden.has(name + "/log_probs_all")) {
        Matrix all = model.logits(features);
        for (Eigen::Index i = 0; i < all.rows(); ++i) {
          all.row(i).array() -=
              kernels::log_sum_exp({all.row(i).data(), static_cast<std::size_t>(all.cols())});
        }
        CHECK(largest_difference(all_of(all), golden.floats(name + "/log_probs_all")) < kTolerance);
      }
    }
  }

  SECTION("the mean of all sentences in one batch") {
    const TokenLoss loss = negative_log_likelihood(model, sources, targets);
    CHECK(loss.mean() == Approx(golden.number("", "nll")).margin(kTolerance));
    CHECK(loss.tokens == static_cast<std::int64_t>(golden.number("", "tokens")));
  }

  SECTION("a text as a stream, in every mode") {
    const std::vector<TokenIds> lines =
        lines_of(golden.tokens("eval/stream"), golden.tokens("eval/sentence_lengths"));
    int modes = 0;
    for (const std::string& mode : golden.groups("eval")) {
      CAPTURE(mode);
      ++modes;
      std::vector<TextBlock> blocks;
      TextBlocks cut(checkpoint.config, parse_mode(mode),
                     [&](TextBlock block) { blocks.push_back(std::move(block)); });
      for (const TokenIds& line : lines) {
        cut.add(line);
      }
      cut.finish();
      const std::vector<int> lengths = golden.tokens("eval/" + mode + "/block_lengths");
      const std::vector<int> contexts = golden.tokens("eval/" + mode + "/context_lengths");
      REQUIRE(blocks.size() == lengths.size());
      std::vector<int> tokens;
      std::vector<float> found;
      const auto by_block = log_probabilities(model, blocks);
      for (std::size_t b = 0; b < blocks.size(); ++b) {
        CAPTURE(b);
        CHECK(static_cast<int>(blocks[b].targets.size()) == lengths[b]);
        CHECK(static_cast<int>(blocks[b].context()) == contexts[b]);
        tokens.insert(tokens.end(), blocks[b].targets.begin(), blocks[b].targets.end());
        found.insert(found.end(), by_block[b].begin(), by_block[b].end());
      }
      CHECK(tokens == golden.tokens("eval/" + mode + "/tokens"));
      CHECK(largest_difference(found, golden.floats("eval/" + mode + "/log_probs")) < kTolerance);
    }
    CHECK(modes == 6);
  }

  SECTION("the likeliest next words, and every hypothesis") {
    std::vector<TokenIds> prompts;
    for (int p = 0; golden.has("generation/prompt" + std::to_string(p)); ++p) {
      const std::string name = "generation/prompt" + std::to_string(p);
      prompts.push_back(golden.tokens(name + "/tokens"));
      Continuation text(model);
      for (const int token : prompts.back()) {
        text.extend({&token, 1});
      }
      std::vector<int> ids;
      std::vector<float> log_probabilities;
      for (const ScoredToken& token : text.best(10)) {
        ids.push_back(token.token);
        log_probabilities.push_back(token.logit);
      }
      CHECK(ids == golden.tokens(name + "/top10_ids"));
      CHECK(largest_difference(log_probabilities, golden.floats(name + "/top10_log_probs")) <
            kTolerance);
    }
    REQUIRE(prompts.size() == 4);
    const std::vector<std::string> searches = golden.searches("generation");
    REQUIRE(searches.size() == 3);
    for (const std::string& search : searches) {
      CAPTURE(search);
      const auto found = beam_search(model, prompts, parse_search(search));
      for (std::size_t p = 0; p < prompts.size(); ++p) {
        CAPTURE(p);
        check_same(found[p],
                   golden.hypotheses("generation/" + search + "/prompt" + std::to_string(p)));
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
