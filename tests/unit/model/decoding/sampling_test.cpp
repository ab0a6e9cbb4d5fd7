#include "model/decoding/sampling.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <limits>
#include <set>

#include "formats/models/model_file.h"
#include "model/base/error.h"
#include "model/decoding/continuation.h"

namespace ltz {
namespace {

constexpr float kImpossible = -std::numeric_limits<float>::infinity();

std::vector<float> logs(std::initializer_list<double> probabilities) {
  std::vector<float> values;
  for (const double probability : probabilities) {
    values.push_back(static_cast<float>(std::log(probability)));
  }
  return values;
}

std::vector<int> tokens_of(const std::vector<ScoredToken>& candidates) {
  std::vector<int> tokens;
  for (const ScoredToken& candidate : candidates) {
    tokens.push_back(candidate.token);
  }
  return tokens;
}

Checkpoint a_language_model(const std::string& variant = "lsra-adaptive-tied") {
  const auto folder = std::filesystem::path(LTZ_GOLDEN_DIR) / "language-models";
  return formats::read_model(folder / variant / "checkpoint.pt",
                             {.target_dict = folder / "dict.txt"})
      .checkpoint;
}

}  // namespace

TEST_CASE("top-k leaves the likeliest, of equals the first") {
  const std::vector<float> next = logs({0.1, 0.4, 0.2, 0.2, 0.1});
  CHECK(tokens_of(candidates(next, {.top_k = 1})) == std::vector{1});
  CHECK(tokens_of(candidates(next, {.top_k = 2})) == std::vector{1, 2});
  CHECK(tokens_of(candidates(next, {.top_k = 4})) == std::vector{1, 2, 3, 0});
  CHECK(candidates(next, {.top_k = 100}).size() == 5);
  CHECK(candidates(next, {}).size() == 5);
}

TEST_CASE("top-p leaves the fewest that reach the probability") {
  const std::vector<float> next = logs({0.125, 0.5, 0.25, 0.125});
  CHECK(tokens_of(candidates(next, {.top_p = 0.001})) == std::vector{1});
  CHECK(tokens_of(candidates(next, {.top_p = 0.499})) == std::vector{1});
  CHECK(tokens_of(candidates(next, {.top_p = 0.51})) == std::vector{1, 2});
  CHECK(tokens_of(candidates(next, {.top_p = 0.76})) == std::vector{1, 2, 0});
  CHECK(tokens_of(candidates(next, {.top_p = 0.9})) == std::vector{1, 2, 0, 3});
}

TEST_CASE("top-k and top-p together leave what both leave") {
  const std::vector<float> next = logs({0.125, 0.5, 0.25, 0.125});
  CHECK(tokens_of(candidates(next, {.top_k = 3, .top_p = 0.6})) == std::vector{1, 2});
  CHECK(tokens_of(candidates(next, {.top_k = 1, .top_p = 0.6})) == std::vector{1});
}

TEST_CASE("what is impossible is no candidate, and adds nothing to top-p") {
  std::vector<float> next = logs({0.4, 0.3, 0.2, 0.1});
  next[0] = kImpossible;
  CHECK(tokens_of(candidates(next, {})) == std::vector{1, 2, 3});
  CHECK(tokens_of(candidates(next, {.top_k = 2})) == std::vector{1, 2});
  CHECK(tokens_of(candidates(next, {.top_p = 0.45})) == std::vector{1, 2});
  CHECK(tokens_of(candidates(next, {.top_p = 0.99})) == std::vector{1, 2, 3});
  CHECK(candidates(std::vector<float>(3, kImpossible), {.top_p = 0.5}).empty());
}

TEST_CASE("many candidates are best first, too") {
  std::vector<float> next(1000);
  for (std::size_t i = 0; i < next.size(); ++i) {
    next[i] = -static_cast<float>((i * 387) % 1000) - 1.0f;
  }
  const auto found = candidates(next, {.top_k = 500});
  REQUIRE(found.size() == 500);
  for (std::size_t i = 0; i < found.size(); ++i) {
    REQUIRE(found[i].logit == -static_cast<float>(i) - 1.0f);
  }
}

TEST_CASE("candidates are drawn in proportion to their probabilities") {
  const auto found = candidates(logs({0.2, 0.6, 0.2}), {.top_k = 2});  // 1, 0
  CHECK(draw(found, 0.0) == 1);
  CHECK(draw(found, 0.749) == 1);
  CHECK(draw(found, 0.751) == 0);
  CHECK(draw(found, std::nextafter(1.0, 0.0)) == 0);
  RandomStream random(1, 0, 0);
  int first = 0;
  for (int i = 0; i < 10000; ++i) {
    first += draw(found, random.uniform()) == 1 ? 1 : 0;
  }
  CHECK(std::abs(first - 7500) < 200);
}

TEST_CASE("random numbers are the same everywhere, and others in each stream") {
  RandomStream random(7, 3, 1);
  CHECK(random.uniform() == RandomStream(7, 3, 1).uniform());
  std::set<double> numbers;
  for (std::uint64_t i = 0; i < 3; ++i) {
    numbers.insert(RandomStream(i, 0, 0).uniform());
    numbers.insert(RandomStream(5, i + 1, 0).uniform());
    numbers.insert(RandomStream(5, 0, i + 1).uniform());
    numbers.insert(RandomStream(std::uint64_t{5} << 32, i, 0).uniform());
  }
  CHECK(numbers.size() == 12);
  for (int i = 0; i < 1000; ++i) {
    const double number = random.uniform();
    REQUIRE((number >= 0.0 && number < 1.0));
  }
}

TEST_CASE("a sample begins with its prompt and ends with </s>, within its limits") {
  const Checkpoint checkpoint = a_language_model();
  const Transformer model(checkpoint);
  const TokenIds prompt = {10, 11, 12};
  const BeamOptions limits{.max_len_b = 12, .min_len = 6};
  const Sampler sampler(model, limits, {.seed = 3});
  std::set<TokenIds> texts;
  for (std::uint64_t i = 0; i < 20; ++i) {
    const Hypothesis text = sampler.sample(prompt, i);
    REQUIRE((text.tokens.size() >= 7 && text.tokens.size() <= 13));
    CHECK(std::equal(prompt.begin(), prompt.end(), text.tokens.begin()));
    CHECK(text.tokens.back() == Vocabulary::kEos);
    for (const int token : text.tokens) {
      CHECK(token != Vocabulary::kPad);
      CHECK(token != Vocabulary::kBos);
    }
    CHECK(text.tokens == sampler.sample(prompt, i).tokens);
    texts.insert(text.tokens);
  }
  CHECK(texts.size() == 20);
  CHECK(sampler.sample(prompt, 0).tokens !=
        Sampler(model, limits, {.seed = 4}).sample(prompt, 0).tokens);
  CHECK(sampler.sample(prompt, 0, 0).tokens != sampler.sample(prompt, 0, 1).tokens);
}

TEST_CASE("the likeliest token alone, or a low temperature, is greedy search") {
  // With an adaptive softmax, the lowest temperature finds the likeliest band, and its likeliest
  // word: not always the likeliest of all.
  const Checkpoint checkpoint = a_language_model("vanilla-gpt");
  const Transformer model(checkpoint);
  const BeamOptions limits{.beam = 1, .lenpen = 1.0, .max_len_b = 15};
  for (const TokenIds& prompt : {TokenIds{}, TokenIds{20}, TokenIds{30, 40, 50}}) {
    const Hypothesis greedy = beam_search(model, {&prompt, 1}, limits).front().front();
    const Hypothesis top = Sampler(model, limits, {.top_k = 1}).sample(prompt, 0);
    CHECK(top.tokens == greedy.tokens);
    CHECK(top.score == Approx(greedy.score).margin(1e-4));
    REQUIRE(top.positional_scores.size() == greedy.positional_scores.size());
    CHECK(Sampler(model, limits, {.temperature = kLowestTemperature}).sample(prompt, 0).tokens ==
          greedy.tokens);
  }
}

TEST_CASE("a higher temperature evens the odds") {
  const Checkpoint checkpoint = a_language_model();
  const Transformer model(checkpoint);
  const auto best = [&](double temperature) {
    return candidates(Continuation(model).log_probabilities(temperature), {.top_k = 1})[0].logit;
  };
  CHECK(best(0.5) > best(1.0));
  CHECK(best(1.0) > best(2.0));
}

TEST_CASE("no n-gram comes twice in a sample, if it must not") {
  const Checkpoint checkpoint = a_language_model();
  const Transformer model(checkpoint);
  const Sampler sampler(model, {.max_len_b = 30, .min_len = 30, .no_repeat_ngram_size = 1},
                        {.top_p = 0.5});
  const Hypothesis text = sampler.sample({}, 0);
  CHECK(text.tokens.size() == 31);
  CHECK(std::set<int>(text.tokens.begin(), text.tokens.end()).size() == 31);
}

TEST_CASE("options of sampling must be in range, and a prompt must fit") {
  const Checkpoint checkpoint = a_language_model();
  const Transformer model(checkpoint);
  const auto with = [&](const SamplingOptions& options) { return Sampler(model, {}, options); };
  CHECK_NOTHROW(with({.top_k = 1, .top_p = 1.0, .temperature = kHighestTemperature}));
  CHECK_THROWS_AS(with({.top_k = -1}), ConfigError);
  CHECK_THROWS_AS(with({.top_p = 0.0}), ConfigError);
  CHECK_THROWS_AS(with({.top_p = 1.5}), ConfigError);
  CHECK_THROWS_AS(with({.temperature = 0.0}), ConfigError);
  CHECK_THROWS_AS(with({.temperature = std::nan("")}), ConfigError);
  const Sampler sampler(model, {.max_len_b = 2}, {});
  CHECK(sampler.sample({10, 11}, 0).tokens == TokenIds{10, 11, Vocabulary::kEos});
  CHECK_THROWS_AS(sampler.sample({10, 11, 12}, 0), ConfigError);
}

}  // namespace ltz
