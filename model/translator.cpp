#include "model/translator.h"

#include <algorithm>

#include "model/error.h"
#include "model/parallel.h"

namespace ltz {
namespace {

// What the reference pads these sentences to, or 0.
int padded_length(const std::vector<TokenIds>& sources, const Batching& batching) {
  return batching.padded ? static_cast<int>(std::ranges::max(sources, {}, &TokenIds::size).size())
                         : 0;
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
                                               const BeamOptions& options, const Batching& batching,
                                               const SentenceProgress& progress) {
  std::vector<std::vector<Hypothesis>> results(sources.size());
  std::size_t done = 0;
  parallel_for(batching.batches.size(), [&](std::size_t b) {
    const std::vector<std::size_t>& batch = batching.batches[b];
    const std::vector<TokenIds> sentences = gather(sources, batch);
    auto hypotheses = beam_search(model, sentences, options, padded_length(sentences, batching));
    for (std::size_t i = 0; i < batch.size(); ++i) {
      results[batch[i]] = std::move(hypotheses[i]);
    }
    if (progress) {
#pragma omp critical(ltz_batch_progress)
      progress(done += batch.size(), sources.size());
    }
  });
  return results;
}

TokenLoss score_text(const Transformer& model, const std::vector<TokenIds>& sources,
                     const std::vector<TokenIds>& targets, const Batching& batching) {
  if (sources.size() != targets.size()) {
    throw ConfigError("expected as many target sentences as source sentences, found " +
                      std::to_string(targets.size()) + " and " + std::to_string(sources.size()));
  }
  std::vector<TokenLoss> losses(batching.batches.size());
  parallel_for(losses.size(), [&](std::size_t b) {
    const std::vector<TokenIds> sentences = gather(sources, batching.batches[b]);
    losses[b] = negative_log_likelihood(model, sentences, gather(targets, batching.batches[b]),
                                        padded_length(sentences, batching));
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
