#include <limits>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "formats/runtime/ltz_runtime.h"
#include "formats/runtime/model.h"
#include "model/decoding/continuation.h"
#include "model/decoding/language_scoring.h"
#include "model/decoding/next_words.h"

struct ltz_lm_state {
  const ltz_model* model;
  ltz::Continuation text;
};

struct ltz_lm_words {
  struct Word {
    std::string text;
    double log_probability;
    std::vector<std::int32_t> ids;
  };
  std::vector<Word> all;
};

namespace {

using namespace ltz::runtime;

// Throws ArgumentError.
void require_language_model(const ltz_model* model) {
  require(model, "model");
  with_arguments([&] { ltz::require_language_model(model->transformer.config()); });
}

ltz::TokenIds tokens_of(const int32_t* ids, size_t count) {
  if (count > 0) {
    require(ids, "ids");
  }
  return {ids, ids + count};
}

ltz::TokenIds tokens_of(const ltz_model& model, const char* text) {
  require(text, "text");
  return model.codec.encode_prompt(text);
}

// tokens: without </s>.
std::unique_ptr<ltz_lm_words> score(const ltz_model& model, ltz::TokenIds tokens) {
  const ltz::ModelConfig& config = model.transformer.config();
  tokens.push_back(ltz::Vocabulary::kEos);
  if (config.add_bos_token) {
    tokens.insert(tokens.begin(), ltz::Vocabulary::kBos);
  }
  const ltz::TextBlock line = {ltz::decoder_inputs(config, tokens), tokens};
  const std::vector<float> found = with_arguments(
      [&] { return ltz::log_probabilities(model.transformer, std::span(&line, 1)).front(); });
  auto words = std::make_unique<ltz_lm_words>();
  for (std::size_t i = config.add_bos_token ? 1 : 0; i < tokens.size(); ++i) {
    words->all.push_back({std::string(model.codec.word(tokens[i])), found[i], {tokens[i]}});
  }
  return words;
}

std::unique_ptr<ltz_translations> complete(const ltz_model& model, const ltz::TokenIds& prompt,
                                           const ltz_options* given) {
  const ltz_options options = checked_options(given);
  const std::vector<ltz::Hypothesis> hypotheses = with_arguments([&] {
    const std::span prompts(&prompt, 1);
    return std::move(ltz::beam_search(model.transformer, prompts, beam_options(options)).front());
  });
  return n_best(model.codec, hypotheses, options.n_best, prompt.size());
}

// tokens(): what the state is to read.
template <typename Tokens>
ltz_status extend(ltz_lm_state* state, ltz_error* error, const Tokens& tokens) noexcept {
  try {
    require(state, "state");
    with_arguments([&] { state->text.extend(tokens()); });
    report_success(error);
    return LTZ_OK;
  } catch (...) {
    return report_exception(error);
  }
}

const ltz_lm_words::Word* find(const ltz_lm_words* words, std::size_t i) {
  return words != nullptr && i < words->all.size() ? &words->all[i] : nullptr;
}

}  // namespace

ltz_lm_words* ltz_lm_score(const ltz_model* model, const char* text, ltz_error* error) {
  return guarded(error, [&] {
    require_language_model(model);
    return score(*model, tokens_of(*model, text));
  });
}

ltz_lm_words* ltz_lm_score_ids(const ltz_model* model, const int32_t* ids, size_t count,
                               ltz_error* error) {
  return guarded(error, [&] {
    require_language_model(model);
    return score(*model, tokens_of(ids, count));
  });
}

ltz_lm_state* ltz_lm_start(const ltz_model* model, ltz_error* error) {
  return guarded(error, [&] {
    require_language_model(model);
    return std::make_unique<ltz_lm_state>(
        ltz_lm_state{model, ltz::Continuation(model->transformer)});
  });
}

ltz_lm_state* ltz_lm_copy(const ltz_lm_state* state, ltz_error* error) {
  return guarded(error, [&] {
    require(state, "state");
    return std::make_unique<ltz_lm_state>(*state);
  });
}

ltz_status ltz_lm_extend(ltz_lm_state* state, const char* text, ltz_error* error) {
  return extend(state, error, [&] { return tokens_of(*state->model, text); });
}

ltz_status ltz_lm_extend_ids(ltz_lm_state* state, const int32_t* ids, size_t count,
                             ltz_error* error) {
  return extend(state, error, [&] { return tokens_of(ids, count); });
}

size_t ltz_lm_length(const ltz_lm_state* state) {
  return state == nullptr ? 0 : state->text.size();
}

void ltz_lm_free_state(ltz_lm_state* state) {
  delete state;
}

ltz_lm_words* ltz_lm_next(const ltz_lm_state* state, const char* beginning, size_t count,
                          ltz_error* error) {
  return guarded(error, [&] {
    require(state, "state");
    if (count == 0) {
      throw ArgumentError("count: expected at least 1, found 0");
    }
    const ltz::NextWordOptions options = {.count = count,
                                          .beginning = beginning == nullptr ? "" : beginning};
    auto words = std::make_unique<ltz_lm_words>();
    for (ltz::NextWord& word : ltz::next_words(state->text, state->model->codec, options)) {
      words->all.push_back(
          {std::move(word.text), word.log_probability, {word.tokens.begin(), word.tokens.end()}});
    }
    return words;
  });
}

ltz_translations* ltz_lm_complete(const ltz_model* model, const char* text,
                                  const ltz_options* options, ltz_error* error) {
  return guarded(error, [&] {
    require_language_model(model);
    return complete(*model, tokens_of(*model, text), options);
  });
}

ltz_translations* ltz_lm_complete_ids(const ltz_model* model, const int32_t* ids, size_t count,
                                      const ltz_options* options, ltz_error* error) {
  return guarded(error, [&] {
    require_language_model(model);
    return complete(*model, tokens_of(ids, count), options);
  });
}

size_t ltz_lm_words_count(const ltz_lm_words* words) {
  return words == nullptr ? 0 : words->all.size();
}

double ltz_lm_words_total(const ltz_lm_words* words) {
  if (words == nullptr) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  double total = 0.0;
  for (const ltz_lm_words::Word& word : words->all) {
    total += word.log_probability;
  }
  return total;
}

const char* ltz_lm_word_text(const ltz_lm_words* words, size_t i) {
  const auto* found = find(words, i);
  return found == nullptr ? nullptr : found->text.c_str();
}

double ltz_lm_word_log_probability(const ltz_lm_words* words, size_t i) {
  const auto* found = find(words, i);
  return found == nullptr ? std::numeric_limits<double>::quiet_NaN() : found->log_probability;
}

const int32_t* ltz_lm_word_ids(const ltz_lm_words* words, size_t i, size_t* count) {
  const auto* found = find(words, i);
  if (count != nullptr) {
    *count = found == nullptr ? 0 : found->ids.size();
  }
  return found == nullptr ? nullptr : found->ids.data();
}

void ltz_lm_free_words(ltz_lm_words* words) {
  delete words;
}
