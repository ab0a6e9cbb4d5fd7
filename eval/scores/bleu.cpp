#include "eval/scores/bleu.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <utility>

#include "eval/scores/ngrams.h"
#include "eval/scores/text_normalization.h"
#include "model/base/error.h"
#include "model/text/bpe.h"

namespace ltz::eval {
namespace {

constexpr std::size_t kOrders = 4;

bool lowers_unicode(const BleuOptions& options) {
  return options.unicode || options.tokenizer == BleuTokenizer::k13a;
}

std::string normalized(const std::string& line, const BleuOptions& options) {
  std::string text = options.compound_split ? split_compounds(line) : line;
  if (options.lowercase) {
    text = lowers_unicode(options) ? lower_case(text) : lower_ascii(std::move(text));
  }
  return options.tokenizer == BleuTokenizer::k13a ? tokenize_13a(text) : text;
}

Words split(const std::string& normalized, BleuTokenizer tokenizer) {
  return tokenizer == BleuTokenizer::k13a ? split_at_unicode_space(normalized)
                                          : split_words(normalized);
}

std::int64_t closest_length(std::int64_t length, std::span<const Words> references) {
  const auto distance = [&](const Words& words) {
    const auto candidate = static_cast<std::int64_t>(words.size());
    return std::pair(std::abs(candidate - length), candidate);
  };
  return distance(*std::ranges::min_element(references, {}, distance)).second;
}

}  // namespace

std::string_view case_name(const BleuOptions& options) {
  if (!options.lowercase) {
    return "mixed";
  }
  return lowers_unicode(options) ? "lc" : "lc-ascii";
}

BleuStatistics& BleuStatistics::operator+=(const BleuStatistics& other) {
  for (std::size_t n = 0; n < kOrders; ++n) {
    matches[n] += other.matches[n];
    totals[n] += other.totals[n];
  }
  hypothesis_length += other.hypothesis_length;
  reference_length += other.reference_length;
  return *this;
}

void require_same_lines(const Lines& hypotheses, std::span<const Lines> references) {
  if (references.empty()) {
    throw ConfigError("there is no reference to score against");
  }
  for (const Lines& reference : references) {
    if (hypotheses.size() != reference.size()) {
      throw ConfigError(fmt::format("expected as many hypotheses as references, found {} and {}",
                                    hypotheses.size(), reference.size()));
    }
  }
  if (hypotheses.empty()) {
    throw ConfigError("there is no sentence to score");
  }
}

std::vector<BleuStatistics> bleu_statistics(const Lines& hypotheses,
                                            std::span<const Lines> references,
                                            const BleuOptions& options) {
  require_same_lines(hypotheses, references);
  std::vector<BleuStatistics> statistics(hypotheses.size());
  for (std::size_t s = 0; s < hypotheses.size(); ++s) {
    const std::string line = normalized(hypotheses[s], options);
    const Words hypothesis = split(line, options.tokenizer);
    std::vector<std::string> reference_lines;
    for (const Lines& reference : references) {
      reference_lines.push_back(normalized(reference[s], options));
    }
    std::vector<Words> reference_words;
    for (const std::string& reference : reference_lines) {
      reference_words.push_back(split(reference, options.tokenizer));
    }
    const auto matches = clipped_matches(hypothesis, reference_words, kOrders);
    for (std::size_t n = 0; n < kOrders; ++n) {
      statistics[s].matches[n] = matches[n];
      statistics[s].totals[n] = ngram_count(hypothesis.size(), n + 1);
    }
    statistics[s].hypothesis_length = static_cast<std::int64_t>(hypothesis.size());
    statistics[s].reference_length =
        closest_length(statistics[s].hypothesis_length, reference_words);
  }
  return statistics;
}

double Bleu::length_ratio() const {
  return reference_length == 0
             ? 0.0
             : static_cast<double>(hypothesis_length) / static_cast<double>(reference_length);
}

Bleu score(const BleuStatistics& corpus, BleuSmoothing smoothing) {
  Bleu result;
  result.hypothesis_length = corpus.hypothesis_length;
  result.reference_length = corpus.reference_length;
  if (corpus.hypothesis_length == 0) {
    return result;
  }
  const double shortfall =
      static_cast<double>(corpus.reference_length) / static_cast<double>(corpus.hypothesis_length);
  result.brevity_penalty = shortfall > 1.0 ? std::exp(1.0 - shortfall) : 1.0;
  if (std::ranges::all_of(corpus.matches, [](std::int64_t count) { return count == 0; })) {
    return result;
  }
  double smoothed = 1.0;  // halved for each order without a match, which counts as so many
  double log_precisions = 0.0;
  for (std::size_t n = 0; n < kOrders; ++n) {
    auto matches = static_cast<double>(corpus.matches[n]);
    if (corpus.matches[n] == 0 && smoothing == BleuSmoothing::kExp) {
      smoothed /= 2.0;
      matches = smoothed;
    }
    // No n-gram at all, in a text of sentences that short, cannot be smoothed.
    const double precision =
        corpus.totals[n] == 0 ? 0.0 : matches / static_cast<double>(corpus.totals[n]);
    result.precisions[n] = 100.0 * precision;
    log_precisions += std::log(precision) / kOrders;
  }
  result.score = 100.0 * result.brevity_penalty * std::exp(log_precisions);
  return result;
}

BleuStatistics sum(std::span<const BleuStatistics> sentences) {
  BleuStatistics total;
  for (const BleuStatistics& sentence : sentences) {
    total += sentence;
  }
  return total;
}

Bleu bleu(const Lines& hypotheses, const Lines& references, const BleuOptions& options) {
  return score(sum(bleu_statistics(hypotheses, std::span(&references, 1), options)),
               options.smoothing);
}

std::string to_string(const Bleu& bleu) {
  return fmt::format(
      "BLEU = {:.2f}, {:.1f}/{:.1f}/{:.1f}/{:.1f} (BP={:.3f}, ratio={:.3f}, hyp_len={}, "
      "ref_len={})",
      bleu.score, bleu.precisions[0], bleu.precisions[1], bleu.precisions[2], bleu.precisions[3],
      bleu.brevity_penalty, bleu.length_ratio(), bleu.hypothesis_length, bleu.reference_length);
}

}  // namespace ltz::eval
