#include "eval/scores/rouge.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "eval/scores/ngrams.h"
#include "eval/scores/porter_stemmer.h"
#include "eval/scores/subsequence.h"
#include "model/base/error.h"
#include "model/text/bpe.h"

namespace ltz::eval {
namespace {

constexpr std::size_t kShortestStemmed = 4;

using Sentence = std::vector<std::string>;

// "Don't" has two words.
Sentence words_of(std::string_view text, bool stem) {
  Sentence words;
  std::string word;
  const auto close = [&] {
    if (!word.empty()) {
      words.push_back(stem && word.size() >= kShortestStemmed ? porter_stem(word) : word);
    }
    word.clear();
  };
  for (const char c : text) {
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if ((lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9')) {
      word += lower;
    } else {
      close();
    }
  }
  close();
  return words;
}

// Ends of sentences in a line, each behind the full stop.
std::vector<std::size_t> sentence_ends(std::string_view line, RougeSentences rule) {
  std::vector<std::size_t> ends;
  if (rule == RougeSentences::kFullStopToken) {
    for (const std::string_view token : split_words(line)) {
      if (token == ".") {
        ends.push_back(static_cast<std::size_t>(token.data() - line.data()) + 1);
      }
    }
    return ends;
  }
  constexpr std::string_view kEnd = " .";
  for (std::size_t at = line.find(kEnd); at != std::string_view::npos; at = line.find(kEnd, at)) {
    at += kEnd.size();
    ends.push_back(at);
  }
  return ends;
}

// The sentences that have a word. Of each, ROUGE sees what is before a "<": files2rouge puts them
// into HTML as they are.
std::vector<Sentence> sentences_of(std::string_view line, const RougeOptions& options) {
  std::vector<std::size_t> ends = sentence_ends(line, options.sentences);
  ends.push_back(line.size());
  std::vector<Sentence> sentences;
  std::size_t start = 0;
  for (const std::size_t end : ends) {
    const std::string_view text = line.substr(start, end - start);
    Sentence words = words_of(text.substr(0, text.find('<')), options.stem);
    if (!words.empty()) {
      sentences.push_back(std::move(words));
    }
    start = end;
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

Rouge rouge_of_line(std::string_view summary_line, std::string_view reference_line,
                    const RougeOptions& options) {
  const std::vector<Sentence> summary_text = sentences_of(summary_line, options);
  const std::vector<Sentence> reference_text = sentences_of(reference_line, options);
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

std::string_view stem_name(const RougeOptions& options) {
  return options.stem ? "porter" : "none";
}

std::string_view sentences_name(const RougeOptions& options) {
  return options.sentences == RougeSentences::kFiles2rouge ? "files2rouge" : "token";
}

Rouge rouge(std::string_view summary, std::string_view reference, const RougeOptions& options) {
  return rouge_of_line(summary, reference, options);
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
  std::vector<Rouge> result;
  for (std::size_t i = 0; i < summaries.size(); ++i) {
    result.push_back(rouge_of_line(summaries[i], references[i], options));
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
