#include "model/decoding/next_words.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <queue>
#include <tuple>
#include <utility>

namespace ltz {
namespace {

// The first tokens of a word.
struct Beginning {
  double log_probability = 0.0;
  TokenIds tokens;
  std::size_t length = 0;                      // bytes of its text
  std::shared_ptr<const Continuation> before;  // all but the last token

  bool operator<(const Beginning& other) const { return log_probability < other.log_probability; }
};

class WordSearch {
 public:
  WordSearch(const TextCodec& codec, const NextWordOptions& options)
      : codec_(codec), options_(options) {}

  // What the text goes on with behind these tokens of a word. after: those of the text and these.
  void look_behind(const Beginning& word, const std::shared_ptr<const Continuation>& after) {
    const std::vector<float> next = after->log_probabilities();
    double end = 0.0;  // probability that a new word follows
    for (int token = 0; token < static_cast<int>(next.size()); ++token) {
      const TextCodec::Part part = codec_.part(token);
      const auto within = static_cast<double>(next[static_cast<std::size_t>(token)]);
      if (!word.tokens.empty() && codec_.marks_beginnings() && part.begins) {
        end += std::exp(within);
      } else if (follows(word, part, token)) {
        consider(word, part, {token, word.log_probability + within}, after);
      }
    }
    if (end > 0.0 && word.length >= options_.beginning.size()) {
      add_word(word.tokens, word.log_probability + std::log(end));
    }
  }

  // Null when no beginning is left that a likelier word may come from.
  std::unique_ptr<Beginning> pop() {
    if (beginnings_.empty() || beginnings_.top().log_probability <= least()) {
      return nullptr;
    }
    auto likeliest = std::make_unique<Beginning>(beginnings_.top());
    beginnings_.pop();
    return likeliest;
  }

  // Best first.
  std::vector<NextWord> take() {
    std::ranges::sort(words_, better);
    for (NextWord& word : words_) {
      const int first = word.tokens.front();
      word.text = first < Vocabulary::kSpecials ? std::string(codec_.word(first))
                                                : codec_.decode_target(word.tokens);
    }
    return std::move(words_);
  }

 private:
  struct Step {
    int token;
    double log_probability;
  };

  // Whether the word can go on, or begin, with a token.
  bool follows(const Beginning& word, const TextCodec::Part& part, int token) const {
    if (token < Vocabulary::kSpecials) {
      return word.tokens.empty() && options_.beginning.empty() && token != Vocabulary::kPad;
    }
    return word.tokens.empty() ? part.begins : true;
  }

  void consider(const Beginning& word, const TextCodec::Part& part, const Step& step,
                const std::shared_ptr<const Continuation>& after) {
    const std::string_view rest =
        options_.beginning.substr(std::min(word.length, options_.beginning.size()));
    const bool begins = part.text.starts_with(rest) || (!part.ends && rest.starts_with(part.text));
    if (!begins || step.log_probability <= least()) {
      return;
    }
    TokenIds tokens = word.tokens;
    tokens.push_back(step.token);
    if (part.ends) {
      add_word(std::move(tokens), step.log_probability);
    } else if (after->room() > 0) {
      beginnings_.push(
          {step.log_probability, std::move(tokens), word.length + part.text.size(), after});
    }
  }

  void add_word(TokenIds tokens, double log_probability) {
    words_.push_back({{}, std::move(tokens), log_probability});
    std::ranges::push_heap(words_, better);
    if (words_.size() > options_.count) {
      std::ranges::pop_heap(words_, better);
      words_.pop_back();
    }
  }

  // What has to be exceeded by a word that is worth finding.
  double least() const {
    return words_.size() == options_.count ? words_.front().log_probability
                                           : -std::numeric_limits<double>::infinity();
  }

  static bool better(const NextWord& a, const NextWord& b) {
    return std::tie(b.log_probability, a.tokens) < std::tie(a.log_probability, b.tokens);
  }

  const TextCodec& codec_;
  const NextWordOptions& options_;
  std::vector<NextWord> words_;  // a heap, the worst in front; without their texts
  std::priority_queue<Beginning> beginnings_;
};

}  // namespace

std::vector<NextWord> next_words(const Continuation& text, const TextCodec& codec,
                                 const NextWordOptions& options) {
  WordSearch search(codec, options);
  // The caller's own, which outlives the search.
  search.look_behind({}, {std::shared_ptr<const Continuation>(), &text});
  for (int i = 0; i < options.most_beginnings; ++i) {
    const std::unique_ptr<Beginning> word = search.pop();
    if (word == nullptr) {
      break;
    }
    auto after = std::make_shared<Continuation>(*word->before);
    after->extend({&word->tokens.back(), 1});
    search.look_behind(*word, after);
  }
  return search.take();
}

}  // namespace ltz
