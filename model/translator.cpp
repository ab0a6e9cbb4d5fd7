#include "model/translator.h"

#include <algorithm>
#include <numeric>

#include "model/error.h"
#include "model/parallel.h"

namespace ltz {
namespace {

using Batch = std::vector<std::size_t>;  // indices of sentences

// Enough rows for fast products, few enough that their activations stay in the cache.
constexpr std::size_t kBatchTokens = 1024;
constexpr std::size_t kBatchSentences = 64;

// Sentences of similar length side by side, the longest batches first so that no thread is left
// with one at the end.
std::vector<Batch> make_batches(const std::vector<TokenIds>& sentences) {
  std::vector<std::size_t> order(sentences.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, std::greater(),
                           [&](std::size_t i) { return sentences[i].size(); });
  std::vector<Batch> batches;
  std::size_t tokens = 0;
  for (const std::size_t i : order) {
    if (batches.empty() || batches.back().size() == kBatchSentences ||
        tokens + sentences[i].size() > kBatchTokens) {
      batches.emplace_back();
      tokens = 0;
    }
    batches.back().push_back(i);
    tokens += sentences[i].size();
  }
  return batches;
}

std::vector<TokenIds> gather(const std::vector<TokenIds>& sentences, const Batch& batch) {
  std::vector<TokenIds> gathered;
  gathered.reserve(batch.size());
  for (const std::size_t i : batch) {
    gathered.push_back(sentences[i]);
  }
  return gathered;
}

}  // namespace

TextCodec::TextCodec(const Checkpoint& checkpoint)
    : bpe_(checkpoint.merges),
      source_(checkpoint.source_vocabulary),
      target_(checkpoint.target_vocabulary) {}

TokenIds TextCodec::encode(std::string_view line, const Vocabulary& vocabulary) const {
  std::vector<std::string> subwords;
  for (const std::string_view word : split_words(line)) {
    bpe_.encode(word, subwords);
  }
  TokenIds ids;
  ids.reserve(subwords.size() + 1);
  for (const std::string& subword : subwords) {
    ids.push_back(vocabulary.id(subword));
  }
  ids.push_back(Vocabulary::kEos);
  return ids;
}

TokenIds TextCodec::encode_source(std::string_view line) const {
  return encode(line, source_);
}

TokenIds TextCodec::encode_target(std::string_view line) const {
  return encode(line, target_);
}

std::string TextCodec::decode_target(const TokenIds& ids) const {
  std::vector<std::string_view> subwords;
  for (const int id : ids) {
    if (id != Vocabulary::kEos) {
      subwords.push_back(target_.word(id));
    }
  }
  return remove_bpe(subwords);
}

std::vector<std::vector<Hypothesis>> translate(const Transformer& model,
                                               const std::vector<TokenIds>& sources,
                                               const BeamOptions& options,
                                               const SentenceProgress& progress) {
  const std::vector<Batch> batches = make_batches(sources);
  std::vector<std::vector<Hypothesis>> results(sources.size());
  std::size_t done = 0;
  parallel_for(batches.size(), [&](std::size_t b) {
    auto hypotheses = beam_search(model, gather(sources, batches[b]), options);
    for (std::size_t i = 0; i < batches[b].size(); ++i) {
      results[batches[b][i]] = std::move(hypotheses[i]);
    }
    if (progress) {
#pragma omp critical(ltz_batch_progress)
      progress(done += batches[b].size(), sources.size());
    }
  });
  return results;
}

TokenLoss score_text(const Transformer& model, const std::vector<TokenIds>& sources,
                     const std::vector<TokenIds>& targets) {
  if (sources.size() != targets.size()) {
    throw ConfigError("expected as many target sentences as source sentences, found " +
                      std::to_string(targets.size()) + " and " + std::to_string(sources.size()));
  }
  const std::vector<Batch> batches = make_batches(targets);
  std::vector<TokenLoss> losses(batches.size());
  parallel_for(batches.size(), [&](std::size_t b) {
    losses[b] =
        negative_log_likelihood(model, gather(sources, batches[b]), gather(targets, batches[b]));
  });
  // Summed in a fixed order, so that the last bits do not depend on the threads.
  TokenLoss total;
  for (const TokenLoss& loss : losses) {
    total.nats += loss.nats;
    total.tokens += loss.tokens;
  }
  return total;
}

}  // namespace ltz
