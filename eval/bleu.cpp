#include "eval/bleu.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <span>

#include "model/bpe.h"
#include "model/error.h"

namespace ltz::eval {
namespace {

constexpr std::size_t kOrders = 4;

using Words = std::vector<std::string_view>;
using Counts = std::map<Words, std::int64_t>;

Counts ngrams(const Words& words, std::size_t order) {
  Counts counts;
  for (std::size_t i = 0; i + order <= words.size(); ++i) {
    const auto begin = words.begin() + static_cast<std::ptrdiff_t>(i);
    ++counts[Words(begin, begin + static_cast<std::ptrdiff_t>(order))];
  }
  return counts;
}

// n-grams of the hypothesis that the reference has, each at most as often as the reference.
std::int64_t matches(const Counts& hypothesis, const Counts& reference) {
  std::int64_t total = 0;
  for (const auto& [ngram, count] : hypothesis) {
    const auto found = reference.find(ngram);
    total += found == reference.end() ? 0 : std::min(count, found->second);
  }
  return total;
}

}  // namespace

Bleu bleu(const std::vector<std::string>& hypotheses, const std::vector<std::string>& references) {
  if (hypotheses.size() != references.size()) {
    throw ConfigError(fmt::format("expected as many hypotheses as references, found {} and {}",
                                  hypotheses.size(), references.size()));
  }
  if (hypotheses.empty()) {
    throw ConfigError("there is no sentence to score");
  }
  Bleu result;
  std::array<std::int64_t, kOrders> matched = {};
  std::array<std::int64_t, kOrders> total = {};
  for (std::size_t s = 0; s < hypotheses.size(); ++s) {
    const Words hypothesis = split_words(hypotheses[s]);
    const Words reference = split_words(references[s]);
    result.hypothesis_length += static_cast<std::int64_t>(hypothesis.size());
    result.reference_length += static_cast<std::int64_t>(reference.size());
    for (std::size_t n = 0; n < kOrders; ++n) {
      matched[n] += matches(ngrams(hypothesis, n + 1), ngrams(reference, n + 1));
      total[n] += std::max<std::int64_t>(
          0, static_cast<std::int64_t>(hypothesis.size()) - static_cast<std::int64_t>(n));
    }
  }
  if (result.hypothesis_length == 0) {
    return result;
  }
  const double shortfall =
      static_cast<double>(result.reference_length) / static_cast<double>(result.hypothesis_length);
  result.brevity_penalty = shortfall > 1.0 ? std::exp(1.0 - shortfall) : 1.0;
  double log_precisions = 0.0;
  for (std::size_t n = 0; n < kOrders; ++n) {
    const double precision =
        total[n] == 0 ? 0.0 : static_cast<double>(matched[n]) / static_cast<double>(total[n]);
    result.precisions[n] = 100.0 * precision;
    log_precisions += std::log(precision) / kOrders;
  }
  result.score = 100.0 * result.brevity_penalty * std::exp(log_precisions);
  return result;
}

std::string to_string(const Bleu& bleu) {
  return fmt::format(
      "BLEU = {:.2f}, {:.1f}/{:.1f}/{:.1f}/{:.1f} (BP={:.3f}, ratio={:.3f}, hyp_len={}, "
      "ref_len={})",
      bleu.score, bleu.precisions[0], bleu.precisions[1], bleu.precisions[2], bleu.precisions[3],
      bleu.brevity_penalty,
      bleu.reference_length == 0 ? 0.0
                                 : static_cast<double>(bleu.hypothesis_length) /
                                       static_cast<double>(bleu.reference_length),
      bleu.hypothesis_length, bleu.reference_length);
}

}  // namespace ltz::eval
