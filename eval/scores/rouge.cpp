#include "eval/scores/rouge.h"

#include <fmt/format.h>
#include <libstemmer.h>

#include <algorithm>
#include <map>
#include <memory>

#include "eval/scores/ngrams.h"
#include "eval/scores/subsequence.h"
#include "model/base/error.h"
#include "model/text/bpe.h"

namespace ltz::eval {
namespace {

// libstemmer's Porter stemmer, the algorithm of 1980 that ROUGE-1.5.5 comes with.
class Stemmer {
 public:
  Stemmer() : stemmer_(sb_stemmer_new("porter", "UTF_8"), sb_stemmer_delete) {
    if (!stemmer_) {
      throw ConfigError("libstemmer has no Porter stemmer");
    }
  }

  std::string stem(const std::string& word) const {
    const sb_symbol* stem =
        sb_stemmer_stem(stemmer_.get(), reinterpret_cast<const sb_symbol*>(word.data()),
                        static_cast<int>(word.size()));
    return {reinterpret_cast<const char*>(stem),
            static_cast<std::size_t>(sb_stemmer_length(stemmer_.get()))};
  }

 private:
  std::unique_ptr<sb_stemmer, void (*)(sb_stemmer*)> stemmer_;
};

constexpr std::size_t kShortestStemmed = 4;

using Sentence = std::vector<std::string>;

// Appends the words of a token between white space: "Don't" has two.
void append_words(std::string_view token, const Stemmer* stemmer, Sentence& words) {
  std::string word;
  const auto close = [&] {
    if (!word.empty()) {
      words.push_back(stemmer != nullptr && word.size() >= kShortestStemmed ? stemmer->stem(word)
                                                                            : word);
    }
    word.clear();
  };
  for (const char c : token) {
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if ((lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9')) {
      word += lower;
    } else {
      close();
    }
  }
  close();
}

// The sentences that have a word; a token "." ends a sentence.
std::vector<Sentence> sentences_of(std::string_view line, const Stemmer* stemmer) {
  std::vector<Sentence> sentences(1);
  for (const std::string_view token : split_words(line)) {
    append_words(token, stemmer, sentences.back());
    if (token == "." && !sentences.back().empty()) {
      sentences.emplace_back();
    }
  }
  if (sentences.back().empty()) {
    sentences.pop_back();
  }
  return sentences;
}

std::vector<Words> views(const std::vector<Sentence>& sentences) {
  std::vector<Words> result;
  for (const Sentence& sentence : sentences) {
    result.emplace_back(sentence.begin(), sentence.end());
  }
  return result;
}

Words joined(const std::vector<Words>& sentences) {
  Words words;
  for (const Words& sentence : sentences) {
    words.insert(words.end(), sentence.begin(), sentence.end());
  }
  return words;
}

RougeScore rouge_score(std::int64_t matches, std::int64_t summary, std::int64_t reference) {
  if (matches == 0) {
    return {};
  }
  RougeScore score;
  score.precision = static_cast<double>(matches) / static_cast<double>(summary);
  score.recall = static_cast<double>(matches) / static_cast<double>(reference);
  score.f1 = 2.0 * score.precision * score.recall / (score.precision + score.recall);
  return score;
}

// Words of the reference in the union of subsequences, each at most as often as both sides have it.
std::int64_t union_matches(const std::vector<Words>& summary, const std::vector<Words>& reference) {
  std::map<std::string_view, std::int64_t> in_summary;
  std::map<std::string_view, std::int64_t> in_reference;
  for (const std::string_view word : joined(summary)) {
    ++in_summary[word];
  }
  for (const std::string_view word : joined(reference)) {
    ++in_reference[word];
  }
  std::int64_t matches = 0;
  for (const Words& sentence : reference) {
    std::vector<bool> marks(sentence.size());
    for (const Words& other : summary) {
      mark_common_subsequence(sentence, other, marks);
    }
    for (std::size_t i = 0; i < sentence.size(); ++i) {
      if (marks[i] && in_summary[sentence[i]] > 0 && in_reference[sentence[i]] > 0) {
        ++matches;
        --in_summary[sentence[i]];
        --in_reference[sentence[i]];
      }
    }
  }
  return matches;
}

Rouge rouge(std::string_view summary_line, std::string_view reference_line,
            const Stemmer* stemmer) {
  const std::vector<Sentence> summary_text = sentences_of(summary_line, stemmer);
  const std::vector<Sentence> reference_text = sentences_of(reference_line, stemmer);
  const std::vector<Words> summary_sentences = views(summary_text);
  const std::vector<Words> reference_sentences = views(reference_text);
  const Words summary = joined(summary_sentences);
  const Words reference = joined(reference_sentences);
  const auto score = [&](std::int64_t matches, std::size_t n) {
    return rouge_score(matches, ngram_count(summary.size(), n), ngram_count(reference.size(), n));
  };
  const auto matches = clipped_matches(summary, std::span(&reference, 1), 2);
  return {
      .rouge1 = score(matches[0], 1),
      .rouge2 = score(matches[1], 2),
      .rouge_l = score(static_cast<std::int64_t>(common_subsequence_length(summary, reference)), 1),
      .rouge_lsum = score(union_matches(summary_sentences, reference_sentences), 1)};
}

}  // namespace

Rouge rouge(std::string_view summary, std::string_view reference, const RougeOptions& options) {
  return rouge_of_lines({std::string(summary)}, {std::string(reference)}, options).front();
}

std::vector<Rouge> rouge_of_lines(const Lines& summaries, const Lines& references,
                                  const RougeOptions& options) {
  if (summaries.size() != references.size()) {
    throw ConfigError(fmt::format("expected as many summaries as references, found {} and {}",
                                  summaries.size(), references.size()));
  }
  if (summaries.empty()) {
    throw ConfigError("there is no summary to score");
  }
  const auto stemmer = options.stem ? std::make_unique<Stemmer>() : nullptr;
  std::vector<Rouge> result;
  for (std::size_t i = 0; i < summaries.size(); ++i) {
    result.push_back(rouge(summaries[i], references[i], stemmer.get()));
  }
  return result;
}

Rouge mean(std::span<const Rouge> lines) {
  Rouge result;
  for (const RougeMeasure& measure : kRougeMeasures) {
    RougeScore& total = result.*measure.score;
    for (const Rouge& line : lines) {
      total.precision += (line.*measure.score).precision;
      total.recall += (line.*measure.score).recall;
      total.f1 += (line.*measure.score).f1;
    }
    for (double* value : {&total.precision, &total.recall, &total.f1}) {
      *value /= static_cast<double>(std::max<std::size_t>(1, lines.size()));
    }
  }
  return result;
}

std::string to_string(const Rouge& rouge) {
  std::string text;
  for (const RougeMeasure& measure : kRougeMeasures) {
    text += fmt::format("{}{} {:.2f}", text.empty() ? "" : ", ", measure.label,
                        100.0 * (rouge.*measure.score).f1);
  }
  return text;
}

}  // namespace ltz::eval
