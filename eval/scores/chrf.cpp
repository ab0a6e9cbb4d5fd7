#include "eval/scores/chrf.h"

#include <fmt/format.h>

#include <string_view>

#include "eval/scores/ngrams.h"
#include "eval/scores/text_normalization.h"
#include "model/base/error.h"

namespace ltz::eval {
namespace {

bool is_punctuation(char c) {
  return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') ||
         (c >= '{' && c <= '~');
}

// The words of a line, punctuation at the end of a word or else at its start apart.
Words words_without_punctuation(std::string_view line) {
  Words words;
  for (const std::string_view word : split_at_unicode_space(line)) {
    if (split_characters(word).size() == 1) {
      words.push_back(word);
    } else if (is_punctuation(word.back())) {
      words.push_back(word.substr(0, word.size() - 1));
      words.push_back(word.substr(word.size() - 1));
    } else if (is_punctuation(word.front())) {
      words.push_back(word.substr(0, 1));
      words.push_back(word.substr(1));
    } else {
      words.push_back(word);
    }
  }
  return words;
}

struct Units {
  Words characters;
  Words words;
};

Units units_of(std::string_view line) {
  Units units{.characters = {}, .words = words_without_punctuation(line)};
  for (const std::string_view word : split_at_unicode_space(line)) {
    const Words characters = split_characters(word);
    units.characters.insert(units.characters.end(), characters.begin(), characters.end());
  }
  return units;
}

// first: where the orders of these units begin.
void count(const Words& hypothesis, const Words& reference, std::size_t first, std::size_t orders,
           ChrfStatistics& statistics) {
  const auto matches = clipped_matches(hypothesis, std::span(&reference, 1), orders);
  for (std::size_t n = 1; n <= orders; ++n) {
    const std::size_t order = first + n - 1;
    statistics.reference[order] = ngram_count(reference.size(), n);
    statistics.hypothesis[order] =
        statistics.reference[order] == 0 ? 0 : ngram_count(hypothesis.size(), n);
    statistics.matches[order] = matches[n - 1];
  }
}

std::string normalized(const std::string& line, const ChrfOptions& options) {
  return options.lowercase ? lower_case(line) : line;
}

}  // namespace

ChrfStatistics& ChrfStatistics::operator+=(const ChrfStatistics& other) {
  for (std::size_t n = 0; n < kOrders; ++n) {
    hypothesis[n] += other.hypothesis[n];
    reference[n] += other.reference[n];
    matches[n] += other.matches[n];
  }
  return *this;
}

std::vector<ChrfStatistics> chrf_statistics(const Lines& hypotheses,
                                            std::span<const Lines> references,
                                            const ChrfOptions& options) {
  require_same_lines(hypotheses, references);
  std::vector<ChrfStatistics> statistics;
  for (std::size_t s = 0; s < hypotheses.size(); ++s) {
    const std::string line = normalized(hypotheses[s], options);
    const Units hypothesis = units_of(line);
    ChrfStatistics best;
    double best_score = -1.0;
    for (const Lines& lines : references) {
      const std::string reference_line = normalized(lines[s], options);
      const Units reference = units_of(reference_line);
      ChrfStatistics found;
      count(hypothesis.characters, reference.characters, 0, kChrfCharacterOrder, found);
      count(hypothesis.words, reference.words, kChrfCharacterOrder,
            static_cast<std::size_t>(options.word_order), found);
      if (const double f = score(found, options); f > best_score) {
        best = found;
        best_score = f;
      }
    }
    statistics.push_back(best);
  }
  return statistics;
}

double score(const ChrfStatistics& corpus, const ChrfOptions& options) {
  double precision = 0.0;
  double recall = 0.0;
  int orders = 0;
  for (std::size_t n = 0; n < ChrfStatistics::kOrders; ++n) {
    if (corpus.hypothesis[n] > 0 && corpus.reference[n] > 0) {
      const auto matches = static_cast<double>(corpus.matches[n]);
      precision += matches / static_cast<double>(corpus.hypothesis[n]);
      recall += matches / static_cast<double>(corpus.reference[n]);
      ++orders;
    }
  }
  if (precision + recall == 0.0) {
    return 0.0;
  }
  precision /= orders;
  recall /= orders;
  const double weight = options.beta * options.beta;
  return 100.0 * (1.0 + weight) * precision * recall / (weight * precision + recall);
}

ChrfStatistics sum(std::span<const ChrfStatistics> sentences) {
  ChrfStatistics total;
  for (const ChrfStatistics& sentence : sentences) {
    total += sentence;
  }
  return total;
}

std::string name(const ChrfOptions& options) {
  return fmt::format("chrF{}", options.beta) +
         std::string(static_cast<std::size_t>(options.word_order), '+');
}

}  // namespace ltz::eval
