#include "eval/quality/perplexity.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <regex>

#include "formats/models/model_file.h"
#include "golden_file.h"
#include "tests/support/thread_count.h"

// The perplexity of texts against the reference's eval_lm.
namespace ltz {
namespace {

const std::filesystem::path kModels = std::filesystem::path(LTZ_GOLDEN_DIR) / "language-models";

Checkpoint read(const std::string& variant) {
  return formats::read_model(kModels / variant / "checkpoint.pt",
                             {.target_dict = kModels / "dict.txt"})
      .checkpoint;
}

// "complete_tps48_cw16"
BlockOptions parse_mode(const std::string& text) {
  static const std::regex pattern(R"((none|complete|eos)_tps(\d+)_cw(\d+))");
  std::smatch match;
  REQUIRE(std::regex_match(text, match, pattern));
  BlockOptions options{.tokens_per_sample = std::stoi(match[2]),
                       .context_window = std::stoi(match[3])};
  for (const SampleBreak mode : {SampleBreak::kNone, SampleBreak::kComplete, SampleBreak::kEos}) {
    if (eval::name(mode) == match[1].str()) {
      options.mode = mode;
    }
  }
  return options;
}

// The lines of eval/stream, as words.
std::vector<std::string> stream_of(const test::GoldenFile& golden, const Vocabulary& vocabulary) {
  const std::vector<int> ids = golden.tokens("eval/stream");
  std::vector<std::string> lines;
  auto next = ids.begin();
  for (const int length : golden.tokens("eval/sentence_lengths")) {
    std::string& line = lines.emplace_back();
    for (const auto end = next + length - 1; next != end; ++next) {
      line += std::string(vocabulary.word(*next)) + " ";
    }
    CHECK(*next++ == Vocabulary::kEos);
  }
  return lines;
}

eval::Perplexity measure(const Transformer& model, const Checkpoint& checkpoint,
                         const std::vector<std::string>& lines, const BlockOptions& options) {
  const TextCodec codec(checkpoint);
  eval::PerplexityMeter meter(model, codec, options);
  for (const std::string& line : lines) {
    meter.add(line);
  }
  return meter.finish();
}

}  // namespace

TEST_CASE("the perplexity of a stream is the reference's, in every mode") {
  const std::string variant =
      GENERATE("dynamic-glu-finalnorm", "lightweight-nosoftmax-nopos", "lsra-adaptive-tied",
               "lsra-adaptive-tied-narrow", "lsra-adaptive-untied", "lsra-shared",
               "vanilla-adaptive", "vanilla-gpt", "vanilla-gpt-bos");
  CAPTURE(variant);
  const Checkpoint checkpoint = read(variant);
  const Transformer model(checkpoint);
  const test::GoldenFile golden((kModels / variant / "golden.h5").string());
  const auto lines = stream_of(golden, checkpoint.target_vocabulary);
  REQUIRE(lines.size() == 26);
  const std::vector<std::string> modes = golden.groups("eval");
  REQUIRE(modes.size() == 6);
  for (const std::string& mode : modes) {
    CAPTURE(mode);
    const eval::Perplexity found = measure(model, checkpoint, lines, parse_mode(mode));
    const std::string group = "eval/" + mode;
    CHECK(found.nll() == Approx(golden.number(group, "nll")).margin(1e-4));
    CHECK(found.tokens == static_cast<std::int64_t>(golden.number(group, "tokens")));
    CHECK(found.words == found.tokens);
    CHECK(found.blocks ==
          static_cast<std::int64_t>(golden.tokens(group + "/block_lengths").size()));
    CHECK(found.lines == 26);
    CHECK(found.dropped == 0);
    const auto ids = golden.tokens("eval/stream");
    CHECK(found.unknown == std::ranges::count(ids, Vocabulary::kUnk));
  }
}

TEST_CASE("the digits of a perplexity do not depend on the threads") {
  const Checkpoint checkpoint = read("lsra-adaptive-tied");
  const Transformer model(checkpoint);
  const test::GoldenFile golden((kModels / "lsra-adaptive-tied" / "golden.h5").string());
  const auto few = stream_of(golden, checkpoint.target_vocabulary);
  // More than all threads have in memory at a time.
  std::vector<std::string> lines;
  for (int i = 0; i < 100; ++i) {
    lines.insert(lines.end(), few.begin(), few.end());
  }
  for (const SampleBreak mode : {SampleBreak::kEos, SampleBreak::kNone}) {
    const BlockOptions options{
        .mode = mode, .tokens_per_sample = 32, .context_window = mode == SampleBreak::kEos ? 0 : 8};
    const auto measured = [&](int threads) {
      return on_threads(threads, [&] { return measure(model, checkpoint, lines, options); });
    };
    const eval::Perplexity one = measured(1);
    const eval::Perplexity three = measured(3);
    CHECK(one.tokens > 20000);
    CHECK(one.nats == three.nats);
    CHECK(one.tokens == three.tokens);
    CHECK(one.blocks == three.blocks);
  }
}

}  // namespace ltz
