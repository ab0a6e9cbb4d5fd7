#include "model/decoding/next_words.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

#include "tests/support/random_architecture.h"
#include "tests/support/sentence_piece_bytes.h"
#include "tests/support/tiny_checkpoint.h"

namespace ltz {
namespace {

Checkpoint with_words(const std::vector<std::string>& words, unsigned seed) {
  ModelConfig config = random_language_model(seed);
  const auto count = static_cast<int>(words.size());
  config.adaptive_input = config.adaptive_softmax = {};
  config.decoder_input_dim = 0;
  config.tie_adaptive_weights = config.tie_adaptive_proj = false;
  config.target_vocabulary_size = Vocabulary::kSpecials + count;
  config.max_target_positions = 8;
  Checkpoint checkpoint = random_checkpoint(config, seed);
  checkpoint.target_vocabulary = Vocabulary(words);
  return checkpoint;
}

Checkpoint subword_model(unsigned seed) {
  return with_words({"a@@", "b@@", "a", "b", "c", "ab", "abc@@", "d"}, seed);
}

Checkpoint piece_model(unsigned seed) {
  using Type = SentencePieceModel::Type;
  Checkpoint checkpoint = with_words({"▁a", "▁b", "a", "b", "▁", "c"}, seed);
  SentencePieceModel pieces;
  pieces.pieces.push_back({"<unk>", 0.0f, Type::kUnknown});
  for (const std::string& word : checkpoint.target_vocabulary.words()) {
    pieces.pieces.push_back({word, -2.0f, Type::kNormal});
  }
  checkpoint.sentencepiece = test::sentence_piece_bytes(pieces);
  return checkpoint;
}

// All words of at most so many tokens, by the meaning of their probability.
class AllWords {
 public:
  AllWords(const Checkpoint& checkpoint, int tokens)
      : words_(checkpoint.target_vocabulary),
        codec_(checkpoint),
        pieces_(!checkpoint.sentencepiece.empty()),
        tokens_(tokens) {}

  std::vector<NextWord> operator()(const Continuation& text) {
    for (const int special : {Vocabulary::kBos, Vocabulary::kEos, Vocabulary::kUnk}) {
      const auto place = static_cast<std::size_t>(special);
      found_.push_back(
          {std::string(words_.word(special)), {special}, text.log_probabilities()[place]});
    }
    go_on(text, {}, 0.0);
    std::ranges::sort(found_, std::greater(), &NextWord::log_probability);
    return found_;
  }

 private:
  bool begins(int token) const { return words_.word(token).starts_with("▁"); }

  void go_on(const Continuation& text, const TokenIds& word, double log_probability) {
    const std::vector<float> next = text.log_probabilities();
    if (pieces_ && !word.empty()) {
      double end = 0.0;
      for (int token = 0; token < words_.size(); ++token) {
        const bool ends = token < Vocabulary::kSpecials || begins(token);
        end += ends ? std::exp(next[static_cast<std::size_t>(token)]) : 0.0;
      }
      found_.push_back({codec_.decode_target(word), word, log_probability + std::log(end)});
    }
    if (static_cast<int>(word.size()) == tokens_) {
      return;
    }
    for (int token = Vocabulary::kSpecials; token < words_.size(); ++token) {
      if (pieces_ && begins(token) != word.empty()) {
        continue;
      }
      const double p = log_probability + next[static_cast<std::size_t>(token)];
      TokenIds longer = word;
      longer.push_back(token);
      if (!pieces_ && !words_.word(token).ends_with("@@")) {
        found_.push_back({codec_.decode_target(longer), longer, p});
        continue;
      }
      if (!pieces_ && static_cast<int>(longer.size()) == tokens_) {
        continue;  // a beginning that cannot end
      }
      Continuation after = text;
      after.extend({&token, 1});
      go_on(after, longer, p);
    }
  }

  const Vocabulary& words_;
  TextCodec codec_;
  bool pieces_;
  int tokens_;
  std::vector<NextWord> found_;
};

void require_same(const std::vector<NextWord>& found, const std::vector<NextWord>& expected,
                  std::size_t count) {
  REQUIRE(found.size() == std::min(count, expected.size()));
  for (std::size_t i = 0; i < found.size(); ++i) {
    CHECK(found[i].tokens == expected[i].tokens);
    CHECK(found[i].text == expected[i].text);
    CHECK(found[i].log_probability == Approx(expected[i].log_probability).margin(1e-5));
  }
}

}  // namespace

TEST_CASE("the likeliest words are found among all that subwords make") {
  const unsigned seed = GENERATE(range(0U, 12U));
  const Checkpoint checkpoint = GENERATE_COPY(subword_model(seed), piece_model(seed));
  CAPTURE(seed, checkpoint.sentencepiece.size());
  const Transformer model(checkpoint);
  const TextCodec codec(checkpoint);
  Continuation text(model);
  text.extend(std::vector<int>{6, 8});
  // Of pieces, the last one has to be read, too: what follows says whether the word ends.
  const auto longest = static_cast<int>(text.room()) + (checkpoint.sentencepiece.empty() ? 1 : 0);
  const std::vector<NextWord> all = AllWords(checkpoint, longest)(text);
  require_same(next_words(text, codec, {.count = 6, .most_beginnings = 1000}), all, 6);
  for (const std::string beginning : {"a", "ab", "b"}) {
    std::vector<NextWord> fitting = all;
    std::erase_if(fitting, [&](const NextWord& word) { return !word.text.starts_with(beginning); });
    require_same(
        next_words(text, codec, {.count = 3, .beginning = beginning, .most_beginnings = 1000}),
        fitting, 3);
  }
}

TEST_CASE("no more beginnings of words are tried than allowed, nor longer than the model's texts") {
  const Checkpoint checkpoint = subword_model(3);
  const Transformer model(checkpoint);
  const TextCodec codec(checkpoint);
  const auto whole = [](const NextWord& word) { return word.tokens.size() == 1; };
  Continuation text(model);
  CHECK(std::ranges::all_of(next_words(text, codec, {.count = 50, .most_beginnings = 0}), whole));
  CHECK_FALSE(
      std::ranges::all_of(next_words(text, codec, {.count = 50, .most_beginnings = 1}), whole));
  text.extend(std::vector<int>(7, 6));
  REQUIRE(text.room() == 0);
  const std::vector<NextWord> last = next_words(text, codec, {.count = 50});
  CHECK(last.size() == 8);
  CHECK(std::ranges::all_of(last, whole));
}

}  // namespace ltz
