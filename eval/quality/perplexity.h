#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/decoding/language_scoring.h"
#include "model/decoding/text_codec.h"

namespace ltz::eval {

// How well a language model foretells a text. Counts are of targets that were scored, </s> and
// <unk> included, <s> not.
struct Perplexity {
  double nats = 0.0;  // sum of the negative log-likelihoods
  std::int64_t tokens = 0;
  std::int64_t words = 0;    // tokens, of the parts of a word in the same block only one
  std::int64_t unknown = 0;  // tokens that are <unk>
  std::int64_t blocks = 0;
  std::int64_t lines = 0;    // of the text, all
  std::int64_t dropped = 0;  // tokens of blocks that are too long for the model
  double seconds = 0.0;      // spent scoring

  // Nats per token, or 0 without any; perplexity is e^that.
  double nll() const;
  // The same per word.
  double word_nll() const;
};

// Reads a text line by line, as fairseq's eval_lm does, with a few blocks a thread in memory
// whatever the size of the text. The figures do not depend on the threads.
class PerplexityMeter {
 public:
  // Both outlive it. Throws ConfigError for a translation model and for what TextBlocks refuses.
  PerplexityMeter(const Transformer& model, const TextCodec& codec, const BlockOptions& options);
  PerplexityMeter(const PerplexityMeter&) = delete;
  PerplexityMeter& operator=(const PerplexityMeter&) = delete;

  // A line of words, without its end.
  void add(std::string_view line);
  // At the end of the text.
  Perplexity finish();

 private:
  void take(TextBlock block);
  // Scores what has been collected.
  void score();
  // Sums up the log probabilities of one block's targets.
  Perplexity measure(const TextBlock& block, const std::vector<float>& log_probabilities) const;

  const Transformer& model_;
  const TextCodec& codec_;
  TextBlocks cut_;
  std::vector<std::vector<TextBlock>> batches_;  // not yet scored
  std::size_t batch_tokens_ = 0;                 // inputs in the last of them
  Perplexity sum_;
};

// Everything that the figures depend on beside model and text.
std::string signature(const BlockOptions& options, Arithmetic arithmetic,
                      const std::string& version);

// As fairseq calls it: "none", "complete", "complete_doc", "eos".
std::string_view name(SampleBreak mode);

}  // namespace ltz::eval
