#include "model/decoding/beam_search.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <numeric>
#include <utility>

#include "model/base/error.h"
#include "model/decoding/beams.h"
#include "model/decoding/continuation.h"
#include "model/decoding/next_tokens.h"
#include "model/decoding/scoring.h"
#include "model/kernels/scratch.h"
#include "model/layers/embedding.h"

namespace ltz {
namespace {

// New numbers, from 0, for those rows of a memory that are in use, in their old order.
class Renumbering {
 public:
  explicit Renumbering(std::int32_t rows) : places_(static_cast<std::size_t>(rows), kUnused) {}

  void use(std::span<const std::int32_t> rows) {
    for (const std::int32_t row : rows) {
      places_[static_cast<std::size_t>(row)] = 0;
    }
  }

  // The old numbers of all that are used.
  std::vector<std::int32_t> number() {
    std::vector<std::int32_t> used;
    for (std::size_t row = 0; row < places_.size(); ++row) {
      if (places_[row] != kUnused) {
        places_[row] = static_cast<std::int32_t>(used.size());
        used.push_back(static_cast<std::int32_t>(row));
      }
    }
    return used;
  }

  void apply(std::span<std::int32_t> rows) const {
    for (std::int32_t& row : rows) {
      row = places_[static_cast<std::size_t>(row)];
    }
  }

 private:
  static constexpr std::int32_t kUnused = -1;

  std::vector<std::int32_t> places_;
};

// How many rows a memory has, and from how many on it is worth looking for those that are not in
// use any more.
struct MemorySize {
  static constexpr std::int32_t kLeastLimit = 2048;

  void set(std::size_t used) {
    rows = static_cast<std::int32_t>(used);
    limit = std::max(kLeastLimit, 2 * rows);
  }

  std::int32_t rows = 0;
  std::int32_t limit = kLeastLimit;
};

}  // namespace

// The decoder's memories only grow: a step adds a row for each beam to that of self-attention and
// convolution, a hypothesis just knows its rows, and nothing is copied when beams change places.
// From time to time the rows that belong to nobody any more are dropped.
struct BeamSearch::State {
  State(const Transformer& transformer, const BeamOptions& beam_options)
      : model(transformer),
        options(beam_options),
        start(start_token(transformer.config())),
        decoder(transformer.start_decoding()),
        next(transformer, 2 * static_cast<std::size_t>(beam_options.beam)) {}

  // One decoder row for every beam of every sentence.
  void make_rows() {
    rows.clear();
    forbidden.resize(std::max(forbidden.size(), count_beams()));
    for (Sentence& sentence : sentences) {
      for (Beam& beam : sentence.beams) {
        beam.history.push_back(history.rows++);
        find_forbidden(beam.tokens, options, forbidden[rows.size()]);
        rows.push_back(
            {beam.last_token(start), sentence.step(), beam.history, sentence.source_rows});
      }
    }
  }

  void drop_unused() {
    if (history.rows >= history.limit) {
      Renumbering renumbering(history.rows);
      for_each_beam([&](Beam& beam) { renumbering.use(beam.history); });
      const std::vector<std::int32_t> used = renumbering.number();
      for_each_beam([&](Beam& beam) { renumbering.apply(beam.history); });
      decoder.keep_history(used);
      history.set(used.size());
    }
    if (sources.rows >= sources.limit) {
      Renumbering renumbering(sources.rows);
      for (const Sentence& sentence : sentences) {
        renumbering.use(sentence.source_rows);
      }
      const std::vector<std::int32_t> used = renumbering.number();
      for (Sentence& sentence : sentences) {
        renumbering.apply(sentence.source_rows);
      }
      decoder.keep_sources(used);
      sources.set(used.size());
    }
  }

  template <typename Function>
  void for_each_beam(const Function& function) {
    for (Sentence& sentence : sentences) {
      std::ranges::for_each(sentence.beams, function);
    }
  }

  std::size_t count_beams() const {
    return std::transform_reduce(sentences.begin(), sentences.end(), std::size_t{0}, std::plus(),
                                 [](const Sentence& sentence) { return sentence.beams.size(); });
  }

  const Transformer& model;
  BeamOptions options;
  int start;  // token
  DecoderState decoder;
  NextTokens next;
  std::vector<Sentence> sentences;
  MemorySize history;
  MemorySize sources;
  // These belong to the current step.
  std::vector<DecoderRow> rows;
  std::vector<std::vector<int>> forbidden;
};

bool is_empty(const TokenIds& sentence) {
  return sentence == TokenIds{Vocabulary::kEos};
}

Hypothesis an_empty_translation() {
  return {.tokens = {Vocabulary::kEos}, .positional_scores = {0.0f}, .score = 0.0};
}

BeamSearch::BeamSearch(const Transformer& model, const BeamOptions& options) {
  validate(options);
  state_ = std::make_unique<State>(model, options);
}

BeamSearch::~BeamSearch() = default;

void BeamSearch::add(std::span<const TokenIds> sentences, std::span<const std::size_t> indices,
                     int padded_length) {
  require_translation_model(state_->model.config());
  std::vector<Sentence> added;
  const EncodedBatch encoded = state_->model.encode(sentences, padded_length);
  for (std::size_t s = 0; s < sentences.size(); ++s) {
    Sentence& sentence = added.emplace_back();
    const int length = encoded.starts[s + 1] - encoded.starts[s];
    sentence.index = indices[s];
    sentence.max_len = max_hypothesis_length(state_->options, state_->model.config(), length);
    sentence.source_rows = attended_rows(sentences[s], state_->sources.rows + encoded.starts[s]);
    sentence.beams.resize(1);  // at the first step all beams would be the same
  }
  state_->model.add_sources(state_->decoder, encoded);
  state_->sources.rows += encoded.starts.back();
  std::ranges::move(added, std::back_inserter(state_->sentences));
}

void BeamSearch::add_prompts(std::span<const TokenIds> prompts,
                             std::span<const std::size_t> indices) {
  State& state = *state_;
  for (const TokenIds& prompt : prompts) {
    check_prompt(state.model, prompt, state.options);
  }
  std::vector<Sentence> added;
  std::vector<DecoderRow> rows;
  TokenIds tokens;
  for (std::size_t p = 0; p < prompts.size(); ++p) {
    const TokenIds& prompt = prompts[p];
    Sentence& sentence = added.emplace_back();
    sentence.index = indices[p];
    sentence.max_len = max_hypothesis_length(state.options, state.model.config(),
                                             static_cast<int>(prompt.size()) + 1);
    Beam& beam = sentence.beams.emplace_back();
    beam.tokens = prompt;
    beam.history.resize(prompt.size());
    std::iota(beam.history.begin(), beam.history.end(), state.history.rows);
    state.history.rows += static_cast<std::int32_t>(prompt.size());
    for (std::size_t i = 0; i < prompt.size(); ++i) {
      rows.push_back({.token = i == 0 ? state.start : prompt[i - 1],
                      .position = static_cast<int>(i),
                      .history = std::span(beam.history).first(i + 1)});
      tokens.push_back(prompt[i]);
    }
  }
  if (!rows.empty()) {
    const Matrix features = state.model.decode(state.decoder, rows);
    auto found = log_probabilities(state.model, features, tokens);
    auto next = found.begin();
    for (Sentence& sentence : added) {
      Beam& beam = sentence.beams.front();
      const auto end = next + static_cast<std::ptrdiff_t>(beam.tokens.size());
      std::partial_sum(next, end, std::back_inserter(beam.scores));
      next = end;
    }
  }
  std::ranges::move(added, std::back_inserter(state.sentences));
}

std::size_t BeamSearch::sentences() const {
  return state_->sentences.size();
}

void BeamSearch::step(const Finished& finished) {
  State& state = *state_;
  state.make_rows();
  Scratch features(static_cast<Eigen::Index>(state.rows.size()),
                   state.model.config().decoder.embed_dim);
  state.model.decode(state.decoder, state.rows, *features);
  state.next.find(*features, state.forbidden);
  std::size_t row = 0;
  for (Sentence& sentence : state.sentences) {
    const std::size_t beams = sentence.beams.size();
    advance(sentence, state.next, row, state.options);
    row += beams;
    if (done(sentence, state.options)) {
      std::ranges::stable_sort(sentence.finished, std::greater(), &Hypothesis::score);
      finished(sentence.index, std::move(sentence.finished));
      sentence.beams.clear();
    }
  }
  std::erase_if(state.sentences, [](const Sentence& sentence) { return sentence.beams.empty(); });
  state.drop_unused();
}

void check_sentence(const Transformer& model, const TokenIds& sentence,
                    const BeamOptions& options) {
  validate(options);
  model.check_source(sentence);
  max_hypothesis_length(options, model.config(), static_cast<int>(sentence.size()));
}

void check_prompt(const Transformer& model, const TokenIds& prompt, const BeamOptions& options) {
  require_language_model(model.config());
  validate(options);
  for (const int token : prompt) {
    require_token(token, model.config().target_vocabulary_size);
  }
  const int longest =
      max_hypothesis_length(options, model.config(), static_cast<int>(prompt.size()) + 1);
  if (static_cast<int>(prompt.size()) > longest) {
    throw ConfigError("a prompt has " + std::to_string(prompt.size()) + " tokens, a text at most " +
                      std::to_string(longest));
  }
}

std::vector<std::vector<Hypothesis>> beam_search(const Transformer& model,
                                                 std::span<const TokenIds> sentences,
                                                 const BeamOptions& options, int padded_length) {
  BeamSearch search(model, options);
  std::vector<std::vector<Hypothesis>> results(sentences.size());
  std::vector<std::size_t> indices(sentences.size());
  std::iota(indices.begin(), indices.end(), 0);
  if (is_language_model(model.config())) {
    search.add_prompts(sentences, indices);
  } else {
    search.add(sentences, indices, padded_length);
  }
  while (search.sentences() > 0) {
    search.step([&](std::size_t sentence, std::vector<Hypothesis> hypotheses) {
      results[sentence] = std::move(hypotheses);
    });
  }
  return results;
}

}  // namespace ltz
