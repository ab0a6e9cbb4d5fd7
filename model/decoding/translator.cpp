#include "model/decoding/translator.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <utility>

#include "model/base/error.h"
#include "model/base/parallel.h"

namespace ltz {
namespace {

// A thread that has fewer takes up another batch: enough for products with many rows.
constexpr std::size_t kFewSentences = 32;

// What the reference pads these sentences to, or 0.
int padded_length(const std::vector<TokenIds>& sources, const Batching& batching) {
  return batching.padded ? static_cast<int>(std::ranges::max(sources, {}, &TokenIds::size).size())
                         : 0;
}

}  // namespace

std::vector<std::vector<Hypothesis>> translate(const Transformer& model,
                                               const std::vector<TokenIds>& sources,
                                               const BeamOptions& options, const Batching& batching,
                                               const Progress& progress) {
  std::vector<std::vector<Hypothesis>> results(sources.size());
  std::vector<std::exception_ptr> errors(batching.batches.size());
  const bool prompts = is_language_model(model.config());
  std::size_t done = 0;
  std::mutex one_at_a_time;
  const auto finished = [&](std::size_t sentence, std::vector<Hypothesis> hypotheses) {
    results[sentence] = std::move(hypotheses);
    if (progress) {
      const std::lock_guard lock(one_at_a_time);
      progress(++done, sources.size());
    }
  };
  std::atomic<std::size_t> next = 0;
  const auto add_batch = [&](BeamSearch& search, std::size_t b) {
    try {
      std::vector<std::size_t> indices;
      for (const std::size_t sentence : batching.batches[b]) {
        if (!prompts && is_empty(sources[sentence])) {
          finished(sentence, {an_empty_translation()});
        } else {
          indices.push_back(sentence);
        }
      }
      if (!indices.empty()) {
        const std::vector<TokenIds> sentences = gather(sources, indices);
        if (prompts) {
          search.add_prompts(sentences, indices);
        } else {
          search.add(sentences, indices, padded_length(sentences, batching));
        }
      }
    } catch (...) {
      errors[b] = std::current_exception();
      next = errors.size();  // those before this one are taken: of all errors, the first is found
    }
  };
  parallel_for(std::min(thread_count(), errors.size()), [&](std::size_t) {
    BeamSearch search(model, options);
    bool more = true;
    while (more || search.sentences() > 0) {
      while (more && search.sentences() < kFewSentences) {
        const std::size_t b = next++;
        more = b < errors.size();
        if (more) {
          add_batch(search, b);
        }
      }
      if (search.sentences() > 0) {
        search.step(finished);
      }
    }
  });
  for (const std::exception_ptr& error : errors) {
    if (error) {
      std::rethrow_exception(error);
    }
  }
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
  return total(losses);
}

}  // namespace ltz
