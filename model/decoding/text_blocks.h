#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

#include "model/checkpoint/config.h"
#include "model/text/vocabulary.h"

namespace ltz {

// How a text, one stream of all its lines with their </s>, is cut into blocks that a language model
// reads on their own (fairseq's --sample-break-mode, task language_modeling).
enum class SampleBreak {
  kNone,         // as many tokens as fit; lines are cut anywhere
  kComplete,     // as many lines as fit; a longer one is a block of its own
  kCompleteDoc,  // the same, but an empty line ends a document, too, and is left out
  kEos,          // one line
};

struct BlockOptions {
  SampleBreak mode = SampleBreak::kEos;
  int tokens_per_sample = 1024;  // of a block and the context before it
  // Inputs before a block that it may look back at, as far as they are in earlier blocks.
  int context_window = 0;
};

// What a model reads at once: inputs[context + i] is followed by targets[i].
struct TextBlock {
  TokenIds inputs;
  TokenIds targets;

  std::size_t context() const { return inputs.size() - targets.size(); }
};

// Cuts a stream that comes line by line, as fairseq's eval_lm does, with no more than a block in
// memory. An input is the token before its target; the first one of all, </s>. With add_bos_token
// every block has <s> in front, among the targets too.
class TextBlocks {
 public:
  using Use = std::function<void(TextBlock block)>;

  // config: of the model. use: called with one block after the other. Throws ConfigError unless
  // 0 <= context_window < tokens_per_sample.
  TextBlocks(const ModelConfig& config, const BlockOptions& options, Use use);

  // line: with its </s>, and without <s>.
  void add(const TokenIds& line);
  // At the end of the text.
  void finish();

  // Tokens, without <s>, of blocks that are longer than the model's max_target_positions, which
  // nobody gets.
  std::size_t dropped() const { return dropped_; }

 private:
  void emit();

  bool bos_;
  std::size_t longest_;
  BlockOptions options_;
  std::size_t block_size_;
  Use use_;
  int before_ = Vocabulary::kEos;  // the token in front of the block
  TokenIds block_;                 // so far
  TokenIds context_;
  std::size_t dropped_ = 0;
};

}  // namespace ltz
