#include "model/beam_search.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "model/error.h"
#include "model/kernels.h"

namespace ltz {
namespace {

constexpr float kImpossible = -std::numeric_limits<float>::infinity();

// A hypothesis that is not finished.
struct Beam {
  TokenIds tokens;                    // without the </s> that the decoder starts from
  std::vector<float> scores;          // cumulative log probability after each token
  std::vector<std::int32_t> history;  // rows of the decoder's memory, one a step

  float score() const { return scores.empty() ? 0.0f : scores.back(); }
  int last_token() const { return tokens.empty() ? Vocabulary::kEos : tokens.back(); }
};

struct Candidate {
  float score;
  std::size_t beam;
  int token;
};

struct Sentence {
  std::size_t index;  // in the batch
  int max_len;
  std::vector<std::int32_t> source_rows;
  std::vector<Beam> beams;
  std::vector<Hypothesis> finished;
};

// The best `count` of everything that was offered, best first; of equals, the first offered.
class TopCandidates {
 public:
  explicit TopCandidates(std::size_t count) : count_(count) {}

  // log_probs: (vocabulary) unnormalised; the candidate's score is log_probs[token] + offset.
  void offer(std::span<const float> log_probs, float offset, std::size_t beam) {
    constexpr std::size_t kBlock = 128;
    for (std::size_t begin = 0; begin < log_probs.size(); begin += kBlock) {
      const auto block = log_probs.subspan(begin, std::min(kBlock, log_probs.size() - begin));
      if (best_.size() == count_ && kernels::max_value(block) + offset <= best_.back().score) {
        continue;
      }
      for (std::size_t i = 0; i < block.size(); ++i) {
        insert({block[i] + offset, beam, static_cast<int>(begin + i)});
      }
    }
  }

  const std::vector<Candidate>& best() const { return best_; }

 private:
  void insert(const Candidate& candidate) {
    const bool full = best_.size() == count_;
    if (candidate.score == kImpossible || (full && candidate.score <= best_.back().score)) {
      return;
    }
    if (full) {
      best_.pop_back();
    }
    const auto better = [](const Candidate& a, const Candidate& b) { return a.score > b.score; };
    best_.insert(std::ranges::upper_bound(best_, candidate, better), candidate);
  }

  std::size_t count_;
  std::vector<Candidate> best_;
};

Hypothesis finish(const Beam& beam, float score, double lenpen) {
  Hypothesis hypothesis;
  hypothesis.tokens = beam.tokens;
  hypothesis.tokens.push_back(Vocabulary::kEos);
  std::vector<float> cumulative = beam.scores;
  cumulative.push_back(score);
  std::adjacent_difference(cumulative.begin(), cumulative.end(),
                           std::back_inserter(hypothesis.positional_scores));
  hypothesis.score = score / std::pow(static_cast<double>(hypothesis.tokens.size()), lenpen);
  return hypothesis;
}

// Forbids every token that would end an n-gram which the beam has already. The reference counts the
// </s> that the decoder starts from as a token. As no other </s> follows, an n-gram of two tokens
// or more with it cannot come twice; and with n = 1 no hypothesis could ever end. So it is left
// out.
void forbid_repeats(std::span<float> logits, const TokenIds& tokens, int ngram_size) {
  const auto size = static_cast<std::size_t>(ngram_size);
  if (size == 0 || tokens.size() < size) {
    return;
  }
  const std::span<const int> seen = tokens;
  const auto tail = seen.last(size - 1);
  for (std::size_t start = 0; start + size <= seen.size(); ++start) {
    if (std::ranges::equal(tail, seen.subspan(start, size - 1))) {
      logits[static_cast<std::size_t>(seen[start + size - 1])] = kImpossible;
    }
  }
}

// Restricts what may follow at this step; `logits` is changed after its normaliser was taken, as in
// the reference.
void forbid(std::span<float> logits, int step, const Sentence& sentence, const Beam& beam,
            const BeamOptions& options) {
  logits[Vocabulary::kPad] = kImpossible;
  if (step >= sentence.max_len) {
    const float eos = logits[Vocabulary::kEos];
    std::ranges::fill(logits, kImpossible);
    logits[Vocabulary::kEos] = eos;
  } else if (step < options.min_len) {
    logits[Vocabulary::kEos] = kImpossible;
  }
  forbid_repeats(logits, beam.tokens, options.no_repeat_ngram_size);
}

// Turns the step's candidates into finished hypotheses and the beams of the next step.
void advance(Sentence& sentence, const std::vector<Candidate>& candidates,
             const BeamOptions& options) {
  const auto beam_size = static_cast<std::size_t>(options.beam);
  std::vector<Beam> next;
  for (std::size_t c = 0; c < candidates.size(); ++c) {
    const Candidate& candidate = candidates[c];
    const Beam& from = sentence.beams[candidate.beam];
    if (candidate.token == Vocabulary::kEos) {
      if (c < beam_size && sentence.finished.size() < beam_size) {
        sentence.finished.push_back(finish(from, candidate.score, options.lenpen));
      }
    } else if (next.size() < beam_size) {
      Beam& beam = next.emplace_back(from);
      beam.tokens.push_back(candidate.token);
      beam.scores.push_back(candidate.score);
    }
  }
  sentence.beams = std::move(next);
}

// Ends every beam of a sentence that cannot go on.
void finish_all(Sentence& sentence, const std::vector<float>& end_scores,
                const BeamOptions& options) {
  for (std::size_t b = 0; b < sentence.beams.size(); ++b) {
    if (sentence.finished.size() < static_cast<std::size_t>(options.beam)) {
      sentence.finished.push_back(finish(sentence.beams[b], end_scores[b], options.lenpen));
    }
  }
  sentence.beams.clear();
}

bool done(const Sentence& sentence, const BeamOptions& options) {
  return sentence.beams.empty() ||
         sentence.finished.size() == static_cast<std::size_t>(options.beam);
}

void check(const BeamOptions& options) {
  if (options.beam < 1) {
    throw ConfigError("beam must be at least 1, found " + std::to_string(options.beam));
  }
  if (options.max_len_b < 0 || !(options.max_len_a >= 0.0)) {
    throw ConfigError("the maximum length must not be negative");
  }
  if (options.min_len < 0) {
    throw ConfigError("the minimum length must not be negative, found " +
                      std::to_string(options.min_len));
  }
  if (options.no_repeat_ngram_size < 0) {
    throw ConfigError("the size of n-grams must not be negative, found " +
                      std::to_string(options.no_repeat_ngram_size));
  }
}

std::vector<Sentence> start(const EncodedBatch& encoded, const ModelConfig& config,
                            const BeamOptions& options) {
  std::vector<Sentence> sentences(encoded.starts.size() - 1);
  for (std::size_t s = 0; s < sentences.size(); ++s) {
    const int length = encoded.starts[s + 1] - encoded.starts[s];
    sentences[s].index = s;
    const double wanted = options.max_len_a * length + options.max_len_b;
    sentences[s].max_len =
        static_cast<int>(std::min<double>(wanted, config.max_target_positions - 1));
    if (options.min_len > std::max(sentences[s].max_len, 1)) {
      throw ConfigError("the minimum length " + std::to_string(options.min_len) +
                        " is above the maximum length " + std::to_string(sentences[s].max_len) +
                        " of a sentence of " + std::to_string(length) + " tokens");
    }
    sentences[s].source_rows.resize(static_cast<std::size_t>(length));
    std::iota(sentences[s].source_rows.begin(), sentences[s].source_rows.end(), encoded.starts[s]);
    sentences[s].beams.resize(1);  // at the first step all beams would be the same
  }
  return sentences;
}

// The decoder's memory of self-attention and convolution. Every step adds a row for each beam and
// never moves one, a hypothesis just knows its rows; from time to time the rows of hypotheses that
// were given up are dropped.
class History {
 public:
  explicit History(DecoderState& state) : state_(state) {}

  // One decoder row for every beam of every sentence.
  std::vector<DecoderRow> next_rows(std::vector<Sentence>& sentences, int step) {
    std::vector<DecoderRow> rows;
    for (Sentence& sentence : sentences) {
      for (Beam& beam : sentence.beams) {
        beam.history.push_back(size_++);
        rows.push_back({beam.last_token(), step, beam.history, sentence.source_rows});
      }
    }
    return rows;
  }

  void drop_unused(std::vector<Sentence>& sentences) {
    if (size_ < limit_) {
      return;
    }
    std::vector<std::int32_t> place(static_cast<std::size_t>(size_), -1);
    std::vector<std::int32_t> used;
    for (Sentence& sentence : sentences) {
      for (Beam& beam : sentence.beams) {
        for (std::int32_t& row : beam.history) {
          std::int32_t& new_row = place[static_cast<std::size_t>(row)];
          if (new_row < 0) {
            new_row = static_cast<std::int32_t>(used.size());
            used.push_back(row);
          }
          row = new_row;
        }
      }
    }
    for (SelfMixing::Memory& memory : state_.self_memory) {
      SelfMixing::keep(memory, used);
    }
    size_ = static_cast<std::int32_t>(used.size());
    limit_ = std::max(kLeastLimit, 2 * size_);
  }

 private:
  static constexpr std::int32_t kLeastLimit = 2048;

  DecoderState& state_;
  std::int32_t size_ = 0;
  std::int32_t limit_ = kLeastLimit;
};

}  // namespace

std::vector<std::vector<Hypothesis>> beam_search(const Transformer& model,
                                                 std::span<const TokenIds> sentences,
                                                 const BeamOptions& options, int padded_length) {
  check(options);
  std::vector<std::vector<Hypothesis>> results(sentences.size());
  const EncodedBatch encoded = model.encode(sentences, padded_length);
  DecoderState state = model.start_decoding(encoded);
  std::vector<Sentence> active = start(encoded, model.config(), options);
  History history(state);
  for (int step = 0; !active.empty(); ++step) {
    const std::vector<DecoderRow> rows = history.next_rows(active, step);
    Matrix logits = model.logits(model.decode(state, rows));
    Eigen::Index row = 0;
    for (Sentence& sentence : active) {
      TopCandidates top(2 * static_cast<std::size_t>(options.beam));
      std::vector<float> end_scores;
      for (std::size_t b = 0; b < sentence.beams.size(); ++b, ++row) {
        const std::span<float> scores(logits.row(row).data(),
                                      static_cast<std::size_t>(logits.cols()));
        const Beam& beam = sentence.beams[b];
        const float offset = beam.score() - kernels::log_sum_exp(scores);
        end_scores.push_back(scores[Vocabulary::kEos] + offset);
        forbid(scores, step, sentence, beam, options);
        top.offer(scores, offset, b);
      }
      if (top.best().empty()) {
        finish_all(sentence, end_scores, options);
      } else {
        advance(sentence, top.best(), options);
      }
    }
    std::vector<Sentence> unfinished;
    for (Sentence& sentence : active) {
      if (done(sentence, options)) {
        std::ranges::stable_sort(sentence.finished, std::greater(), &Hypothesis::score);
        results[sentence.index] = std::move(sentence.finished);
      } else {
        unfinished.push_back(std::move(sentence));
      }
    }
    active = std::move(unfinished);
    history.drop_unused(active);
  }
  return results;
}

}  // namespace ltz
