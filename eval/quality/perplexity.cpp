// Facts: fairseq_cli/eval_lm.py.

#include "eval/quality/perplexity.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "model/base/parallel.h"
#include "model/decoding/continuation.h"

namespace ltz::eval {
namespace {

// Enough rows for fast products, few enough that their activations stay in the cache.
constexpr std::size_t kBatchTokens = 1024;
// So many that no thread waits long for another's last one.
constexpr std::size_t kBatchesPerThread = 8;

// Whether two tokens that follow each other are parts of the same word.
bool within_word(const TextCodec& codec, int token, int next) {
  return codec.marks_beginnings() ? !codec.part(next).begins : !codec.part(token).ends;
}

double per(double nats, std::int64_t count) {
  return count == 0 ? 0.0 : nats / static_cast<double>(count);
}

}  // namespace

double Perplexity::nll() const {
  return per(nats, tokens);
}

double Perplexity::word_nll() const {
  return per(nats, words);
}

PerplexityMeter::PerplexityMeter(const Transformer& model, const TextCodec& codec,
                                 const BlockOptions& options)
    : model_(model),
      codec_(codec),
      cut_(model.config(), options, [this](TextBlock block) { take(std::move(block)); }) {
  require_language_model(model.config());
}

void PerplexityMeter::add(std::string_view line) {
  TokenIds ids = codec_.encode_prompt(line);
  ids.push_back(Vocabulary::kEos);
  cut_.add(ids);
  ++sum_.lines;
}

Perplexity PerplexityMeter::finish() {
  cut_.finish();
  score();
  sum_.dropped = static_cast<std::int64_t>(cut_.dropped());
  return sum_;
}

void PerplexityMeter::take(TextBlock block) {
  const std::size_t size = block.inputs.size();
  if (batches_.empty() || batch_tokens_ + size > kBatchTokens) {
    if (batches_.size() == kBatchesPerThread * thread_count()) {
      score();
    }
    batches_.emplace_back();
    batch_tokens_ = 0;
  }
  batches_.back().push_back(std::move(block));
  batch_tokens_ += size;
}

void PerplexityMeter::score() {
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::vector<Perplexity>> measured(batches_.size());
  parallel_for(batches_.size(), [&](std::size_t b) {
    const auto found = log_probabilities(model_, batches_[b]);
    for (std::size_t i = 0; i < found.size(); ++i) {
      measured[b].push_back(measure(batches_[b][i], found[i]));
    }
  });
  // In the order of the text, so that the last bits do not depend on the threads.
  for (const std::vector<Perplexity>& batch : measured) {
    for (const Perplexity& block : batch) {
      sum_.nats += block.nats;
      sum_.tokens += block.tokens;
      sum_.words += block.words;
      sum_.unknown += block.unknown;
      sum_.blocks += block.blocks;
    }
  }
  batches_.clear();
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
  sum_.seconds += spent.count();
}

Perplexity PerplexityMeter::measure(const TextBlock& block,
                                    const std::vector<float>& log_probabilities) const {
  Perplexity sum{.blocks = 1};
  const TokenIds& targets = block.targets;
  for (std::size_t i = model_.config().add_bos_token ? 1 : 0; i < targets.size(); ++i) {
    sum.nats -= log_probabilities[i];
    ++sum.tokens;
    sum.unknown += targets[i] == Vocabulary::kUnk ? 1 : 0;
    const bool last = i + 1 == targets.size();
    sum.words += last || !within_word(codec_, targets[i], targets[i + 1]) ? 1 : 0;
  }
  return sum;
}

std::string signature(const BlockOptions& options, Arithmetic arithmetic,
                      const std::string& version) {
  return fmt::format("PPL+mode.{}+tps.{}+cw.{}+precision.{}+ltz.{}", name(options.mode),
                     options.tokens_per_sample, options.context_window, to_string(arithmetic),
                     version);
}

std::string_view name(SampleBreak mode) {
  switch (mode) {
    case SampleBreak::kNone:
      return "none";
    case SampleBreak::kComplete:
      return "complete";
    case SampleBreak::kCompleteDoc:
      return "complete_doc";
    case SampleBreak::kEos:
      break;
  }
  return "eos";
}

}  // namespace ltz::eval
