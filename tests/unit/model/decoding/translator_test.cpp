#include "model/decoding/translator.h"

#include <catch2/catch.hpp>

#include "model/base/error.h"
#include "tests/support/thread_count.h"
#include "tests/support/tiny_checkpoint.h"

namespace ltz {
namespace {

// Ids that both vocabularies have.
std::vector<TokenIds> some_sentences(const ModelConfig& config) {
  const int vocabulary = std::min(config.source_vocabulary_size, config.target_vocabulary_size);
  std::vector<TokenIds> sentences;
  for (int length = 1; length < 40; ++length) {
    TokenIds& sentence = sentences.emplace_back();
    for (int i = 0; i < length; ++i) {
      sentence.push_back(Vocabulary::kUnk + (7 * length + 3 * i) % (vocabulary - Vocabulary::kUnk));
    }
    sentence.push_back(Vocabulary::kEos);
  }
  return sentences;
}

}  // namespace

TEST_CASE("a translation depends neither on the batch nor on the number of threads") {
  const Checkpoint checkpoint = tiny_checkpoint(3);
  const Transformer model(checkpoint);
  const auto sources = some_sentences(checkpoint.config);
  const BeamOptions options{.beam = 3, .max_len_b = 12};
  const auto translated = [&] {
    return translate(model, sources, options, batch_by_length(sources));
  };
  const auto together = on_threads(3, translated);
  REQUIRE(together.size() == sources.size());
  for (std::size_t s = 0; s < sources.size(); ++s) {
    CAPTURE(s);
    const auto alone = beam_search(model, std::span(&sources[s], 1), options).front();
    REQUIRE(alone.size() == together[s].size());
    for (std::size_t h = 0; h < alone.size(); ++h) {
      CHECK(alone[h].tokens == together[s][h].tokens);
      CHECK(alone[h].score == Approx(together[s][h].score).margin(1e-4));
    }
  }
  const auto one_thread = on_threads(1, translated);
  for (std::size_t s = 0; s < sources.size(); ++s) {
    CHECK(one_thread[s].front().score == together[s].front().score);
  }
}

TEST_CASE("incremental decoding gives the probabilities of teacher forcing") {
  const Checkpoint checkpoint = tiny_checkpoint(5);
  const Transformer model(checkpoint);
  const std::vector<TokenIds> sources = some_sentences(checkpoint.config);
  for (const auto& hypotheses :
       translate(model, sources, {.beam = 2, .max_len_b = 9}, batch_by_length(sources))) {
    for (const Hypothesis& hypothesis : hypotheses) {
      double sum = 0.0;
      for (const float score : hypothesis.positional_scores) {
        sum += score;
      }
      const double length = static_cast<double>(hypothesis.tokens.size());
      CHECK(hypothesis.score == Approx(sum / std::pow(length, 0.6)).margin(1e-4));
    }
  }
  const auto best =
      translate(model, sources, {.beam = 2, .max_len_b = 9}, batch_by_length(sources));
  for (std::size_t s = 0; s < sources.size(); ++s) {
    const Hypothesis& hypothesis = best[s].front();
    double sum = 0.0;
    for (const float score : hypothesis.positional_scores) {
      sum += score;
    }
    const TokenLoss loss =
        negative_log_likelihood(model, std::span(&sources[s], 1), std::span(&hypothesis.tokens, 1));
    CHECK(loss.nats == Approx(-sum).margin(1e-3));
  }
}

TEST_CASE("lengths are limited, and nothing is empty or padded") {
  const Checkpoint checkpoint = tiny_checkpoint(7);
  const Transformer model(checkpoint);
  const auto sources = some_sentences(checkpoint.config);
  for (const auto& hypotheses :
       translate(model, sources, {.beam = 4, .max_len_b = 6}, batch_by_length(sources))) {
    REQUIRE(hypotheses.size() == 4);
    for (const Hypothesis& hypothesis : hypotheses) {
      CHECK(hypothesis.tokens.size() >= 2);
      CHECK(hypothesis.tokens.size() <= 7);
      CHECK(hypothesis.tokens.back() == Vocabulary::kEos);
      CHECK(std::ranges::count(hypothesis.tokens, Vocabulary::kPad) == 0);
    }
  }
}

TEST_CASE("an empty sentence has an empty translation, whatever the options and its neighbours") {
  const Checkpoint checkpoint = tiny_checkpoint(7);
  const Transformer model(checkpoint);
  auto sources = some_sentences(checkpoint.config);
  const BeamOptions options{.beam = 3, .max_len_b = 6, .min_len = 2};
  const auto without = translate(model, sources, options, batch_by_length(sources));
  sources.insert(sources.begin() + 5, {Vocabulary::kEos});
  sources.push_back({Vocabulary::kEos});
  std::size_t done = 0;
  const auto found = translate(model, sources, options, batch_by_length(sources),
                               [&](std::size_t count, std::size_t) { done = count; });
  CHECK(done == sources.size());
  for (const auto& hypotheses : {found[5], found.back()}) {
    REQUIRE(hypotheses.size() == 1);
    CHECK(hypotheses[0].tokens == TokenIds{Vocabulary::kEos});
    CHECK(hypotheses[0].score == 0.0);
  }
  CHECK(found[4].front().tokens == without[4].front().tokens);
  CHECK(found[6].front().tokens == without[5].front().tokens);
  const std::vector<TokenIds> empty = {{Vocabulary::kEos}};
  CHECK(translate(model, empty, options, batch_by_length(empty))[0].size() == 1);
}

TEST_CASE("what the model cannot take is refused") {
  Checkpoint checkpoint = tiny_checkpoint(1);
  checkpoint.config.max_source_positions = 8;
  const Transformer model(checkpoint);
  const std::vector<TokenIds> long_source = {TokenIds(9, Vocabulary::kUnk)};
  CHECK_THROWS_WITH(translate(model, long_source, {}, batch_by_length(long_source)),
                    "a source sentence has 9 tokens, the model takes at most 8");
  const std::vector<TokenIds> unknown = {{checkpoint.config.source_vocabulary_size}};
  CHECK_THROWS_AS(beam_search(model, unknown, {}), ConfigError);
  const std::vector<TokenIds> empty = {{Vocabulary::kEos}};
  CHECK_THROWS_AS(beam_search(model, empty, {.beam = 0}), ConfigError);
  CHECK_THROWS_AS(score_text(model, empty, {}, batch_by_length(empty)), ConfigError);
}

TEST_CASE("of several sentences that cannot be translated, the same one is named every time") {
  Checkpoint checkpoint = tiny_checkpoint(1);
  checkpoint.config.max_source_positions = 4;
  const Transformer model(checkpoint);
  std::vector<TokenIds> sources(40, TokenIds{Vocabulary::kUnk, Vocabulary::kEos});
  sources[20].assign(7, Vocabulary::kUnk);
  sources[30].assign(9, Vocabulary::kUnk);
  Batching one_by_one;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    one_by_one.batches.push_back({i});
  }
  for (int repetition = 0; repetition < 5; ++repetition) {
    CHECK_THROWS_WITH(translate(model, sources, {.max_len_b = 5}, one_by_one),
                      "a source sentence has 7 tokens, the model takes at most 4");
  }
}

TEST_CASE("replacing a parameter changes the model, and back") {
  const Checkpoint checkpoint = tiny_checkpoint(2);
  Transformer model(checkpoint);
  const std::vector<TokenIds> text = some_sentences(checkpoint.config);
  const double before = score_text(model, text, text, batch_by_length(text)).nats;
  const std::string name = "decoder.layers.0.fc1.weight";
  const std::vector<float> values = checkpoint.tensors.at(name).values();
  model.replace(name, std::vector<float>(values.size(), 0.0f));
  CHECK(score_text(model, text, text, batch_by_length(text)).nats != before);
  model.replace(name, values);
  CHECK(score_text(model, text, text, batch_by_length(text)).nats == before);
  CHECK_THROWS_AS(model.replace(name, std::vector<float>(3)), ConfigError);
  CHECK_THROWS_AS(model.replace("no.such.tensor", values), ConfigError);
}

}  // namespace ltz
