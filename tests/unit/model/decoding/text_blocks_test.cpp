#include "model/decoding/text_blocks.h"

#include <catch2/catch.hpp>

#include "model/base/error.h"

namespace ltz {
namespace {

constexpr int kEnd = Vocabulary::kEos;

ModelConfig a_config(int longest = 100, bool bos = false) {
  ModelConfig config;
  config.max_target_positions = longest;
  config.add_bos_token = bos;
  return config;
}

std::vector<TextBlock> cut(const std::vector<TokenIds>& lines, const BlockOptions& options,
                           const ModelConfig& config = a_config()) {
  std::vector<TextBlock> blocks;
  TextBlocks cutter(config, options, [&](TextBlock block) { blocks.push_back(std::move(block)); });
  for (const TokenIds& line : lines) {
    cutter.add(line);
  }
  cutter.finish();
  return blocks;
}

std::vector<TokenIds> targets(const std::vector<TextBlock>& blocks) {
  std::vector<TokenIds> all;
  for (const TextBlock& block : blocks) {
    all.push_back(block.targets);
  }
  return all;
}

// Four lines, the third of them empty.
const std::vector<TokenIds> kLines = {{10, 11, kEnd}, {12, kEnd}, {kEnd}, {13, 14, 15, kEnd}};

}  // namespace

TEST_CASE("eos: a block is a line, and begins with </s>") {
  const auto blocks = cut(kLines, {.mode = SampleBreak::kEos});
  CHECK(targets(blocks) == kLines);
  CHECK(blocks[0].inputs == TokenIds{kEnd, 10, 11});
  CHECK(blocks[2].inputs == TokenIds{kEnd});
  CHECK(blocks[3].inputs == TokenIds{kEnd, 13, 14, 15});
}

TEST_CASE("none: blocks are full, and an input is the token before its target") {
  const auto blocks = cut(kLines, {.mode = SampleBreak::kNone, .tokens_per_sample = 4});
  CHECK(targets(blocks) ==
        std::vector<TokenIds>{{10, 11, kEnd, 12}, {kEnd, kEnd, 13, 14}, {15, kEnd}});
  CHECK(blocks[0].inputs == TokenIds{kEnd, 10, 11, kEnd});
  CHECK(blocks[1].inputs == TokenIds{12, kEnd, kEnd, 13});
  CHECK(blocks[2].inputs == TokenIds{14, 15});
}

TEST_CASE("complete: as many whole lines as fit, and a longer line alone") {
  CHECK(targets(cut(kLines, {.mode = SampleBreak::kComplete, .tokens_per_sample = 6})) ==
        std::vector<TokenIds>{{10, 11, kEnd, 12, kEnd, kEnd}, {13, 14, 15, kEnd}});
  CHECK(targets(cut(kLines, {.mode = SampleBreak::kComplete, .tokens_per_sample = 3})) ==
        std::vector<TokenIds>{{10, 11, kEnd}, {12, kEnd, kEnd}, {13, 14, 15, kEnd}});
}

TEST_CASE("complete_doc: an empty line ends a document and is left out") {
  const auto blocks = cut(kLines, {.mode = SampleBreak::kCompleteDoc, .tokens_per_sample = 100});
  CHECK(targets(blocks) == std::vector<TokenIds>{{10, 11, kEnd, 12, kEnd}, {13, 14, 15, kEnd}});
  CHECK(blocks[1].inputs == TokenIds{kEnd, 13, 14, 15});
  CHECK(targets(cut({{kEnd}, {kEnd}, {10, kEnd}, {kEnd}},
                    {.mode = SampleBreak::kCompleteDoc, .tokens_per_sample = 100})) ==
        std::vector<TokenIds>{{10, kEnd}});
  CHECK(cut({{kEnd}}, {.mode = SampleBreak::kCompleteDoc}).empty());
}

TEST_CASE("a context is what was read before, as far as it and the block fit") {
  const BlockOptions options{
      .mode = SampleBreak::kNone, .tokens_per_sample = 5, .context_window = 3};
  const auto blocks = cut(kLines, options);
  CHECK(targets(blocks) ==
        std::vector<TokenIds>{{10, 11}, {kEnd, 12}, {kEnd, kEnd}, {13, 14}, {15, kEnd}});
  CHECK(blocks[0].inputs == TokenIds{kEnd, 10});
  CHECK(blocks[1].inputs == TokenIds{kEnd, 10, 11, kEnd});
  CHECK(blocks[2].inputs == TokenIds{10, 11, kEnd, 12, kEnd});
  CHECK(blocks[2].context() == 3);

  // Of a line as long as a block and a context, only a block's worth is left.
  const auto lines =
      cut(kLines, {.mode = SampleBreak::kComplete, .tokens_per_sample = 5, .context_window = 3});
  CHECK(lines.back().targets == TokenIds{13, 14, 15, kEnd});
  CHECK(lines.back().inputs == TokenIds{kEnd, kEnd, 13, 14, 15});
}

TEST_CASE("with add_bos_token every block begins with <s>") {
  const int bos = Vocabulary::kBos;
  const auto blocks =
      cut(kLines, {.mode = SampleBreak::kNone, .tokens_per_sample = 4}, a_config(100, true));
  CHECK(blocks[0].inputs == TokenIds{bos, kEnd, 10, 11, kEnd});
  CHECK(blocks[0].targets == TokenIds{bos, 10, 11, kEnd, 12});
  CHECK(blocks[1].inputs == TokenIds{bos, 12, kEnd, kEnd, 13});
}

TEST_CASE("blocks that are too long for the model are dropped and counted") {
  for (const bool bos : {false, true}) {
    std::vector<TextBlock> blocks;
    TextBlocks cutter(a_config(bos ? 4 : 3, bos), {.mode = SampleBreak::kEos},
                      [&](TextBlock block) { blocks.push_back(std::move(block)); });
    for (const TokenIds& line : kLines) {
      cutter.add(line);
    }
    cutter.finish();
    CHECK(blocks.size() == 3);
    CHECK(cutter.dropped() == 4);
  }
}

TEST_CASE("an empty text has no blocks") {
  for (const SampleBreak mode :
       {SampleBreak::kNone, SampleBreak::kComplete, SampleBreak::kCompleteDoc, SampleBreak::kEos}) {
    CHECK(cut({}, {.mode = mode}).empty());
  }
}

TEST_CASE("a context must leave room for a block") {
  const auto with = [](int context) {
    return cut({}, {.tokens_per_sample = 8, .context_window = context});
  };
  CHECK_NOTHROW(with(7));
  CHECK_THROWS_AS(with(8), ConfigError);
  CHECK_THROWS_AS(with(-1), ConfigError);
}

}  // namespace ltz
