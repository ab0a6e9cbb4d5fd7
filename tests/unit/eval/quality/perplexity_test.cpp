#include "eval/quality/perplexity.h"

#include <catch2/catch.hpp>

#include "model/base/error.h"
#include "tests/support/random_architecture.h"
#include "tests/support/sentence_piece_bytes.h"
#include "tests/support/tiny_checkpoint.h"

// tests/golden has the reference's figures.
namespace ltz {
namespace {

// A language model of these words, which a random one has in place of its own.
Checkpoint with_words(const std::vector<std::string>& words) {
  ModelConfig config = random_language_model(1);
  config.adaptive_input = config.adaptive_softmax = {};
  config.decoder_input_dim = 0;
  config.tie_adaptive_weights = config.tie_adaptive_proj = false;
  config.add_bos_token = false;
  config.target_vocabulary_size = Vocabulary::kSpecials + static_cast<int>(words.size());
  config.max_target_positions = 8;
  Checkpoint checkpoint = random_checkpoint(config, 1);
  checkpoint.target_vocabulary = Vocabulary(words);
  return checkpoint;
}

Checkpoint with_pieces(const std::vector<std::string>& words) {
  using Type = SentencePieceModel::Type;
  Checkpoint checkpoint = with_words(words);
  SentencePieceModel pieces;
  pieces.pieces.push_back({"<unk>", 0.0f, Type::kUnknown});
  for (const std::string& word : words) {
    pieces.pieces.push_back({word, -2.0f, Type::kNormal});
  }
  checkpoint.sentencepiece = test::sentence_piece_bytes(pieces);
  return checkpoint;
}

eval::Perplexity measure(const Checkpoint& checkpoint, const std::vector<std::string>& lines,
                         const BlockOptions& options) {
  const Transformer model(checkpoint);
  const TextCodec codec(checkpoint);
  eval::PerplexityMeter meter(model, codec, options);
  for (const std::string& line : lines) {
    meter.add(line);
  }
  return meter.finish();
}

}  // namespace

TEST_CASE("pieces of a word count as one, but not across blocks") {
  const Checkpoint checkpoint = with_words({"in@@", "side@@", "out", "be"});
  const std::vector<std::string> lines = {"in@@ side@@ out out", "", "out in@@"};
  const eval::Perplexity by_line = measure(checkpoint, lines, {.mode = SampleBreak::kEos});
  CHECK(by_line.tokens == 9);
  // in-side-out, out, </s>; </s>; out, in-</s>.
  CHECK(by_line.words == 6);
  CHECK(by_line.nll() == Approx(by_line.nats / 9));
  CHECK(by_line.word_nll() == Approx(by_line.nats / 6));
  // The first block ends behind "side@@".
  CHECK(measure(checkpoint, lines, {.mode = SampleBreak::kNone, .tokens_per_sample = 2}).words ==
        8);
}

TEST_CASE("words of SentencePiece begin where their pieces say so") {
  const Checkpoint checkpoint = with_pieces({"\u2581in", "side", "\u2581out", "s"});
  const eval::Perplexity found =
      measure(checkpoint, {"inside outs in", ""}, {.mode = SampleBreak::kEos});
  CHECK(found.unknown == 0);
  CHECK(found.tokens == 7);
  CHECK(found.words == 5);
}

TEST_CASE("what is unknown, too long or empty is counted apart") {
  const Checkpoint checkpoint = with_words({"a", "b"});
  const eval::Perplexity found =
      measure(checkpoint, {"a x b y", "a a a a a a a a", ""}, {.mode = SampleBreak::kEos});
  CHECK(found.tokens == 6);
  CHECK(found.unknown == 2);
  CHECK(found.dropped == 9);
  CHECK(found.lines == 3);
  CHECK(found.blocks == 2);
}

TEST_CASE("a text without anything to score has no loss") {
  const Checkpoint checkpoint = with_words({"a", "b"});
  const eval::Perplexity nothing = measure(checkpoint, {}, {});
  CHECK(nothing.tokens == 0);
  CHECK(nothing.nll() == 0.0);
  CHECK(nothing.word_nll() == 0.0);
  const eval::Perplexity only_ends =
      measure(checkpoint, {"", ""}, {.mode = SampleBreak::kCompleteDoc});
  CHECK(only_ends.tokens == 0);
  CHECK(only_ends.lines == 2);
}

TEST_CASE("perplexity is of language models") {
  const Checkpoint checkpoint = tiny_checkpoint(1);
  CHECK_THROWS_AS(measure(checkpoint, {}, {}), ConfigError);
}

TEST_CASE("the signature of a perplexity says how the text was cut") {
  CHECK(eval::signature(
            {.mode = SampleBreak::kCompleteDoc, .tokens_per_sample = 3072, .context_window = 2560},
            Arithmetic::kInt8,
            "1.2") == "PPL+mode.complete_doc+tps.3072+cw.2560+precision.int8+ltz.1.2");
}

}  // namespace ltz
