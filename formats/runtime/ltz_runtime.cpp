#include "formats/runtime/ltz_runtime.h"

#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "formats/runtime/model.h"
#include "model/decoding/beam_search.h"

struct ltz_translations {
  struct Translation {
    std::string text;
    double score;
    std::vector<std::int32_t> ids;
  };
  std::vector<Translation> all;
};

namespace {

using namespace ltz::runtime;

ltz::BeamOptions beam_options(const ltz_options& options) {
  if (options.n_best < 1 || options.n_best > options.beam) {
    throw ArgumentError("n_best: expected 1 to " + std::to_string(options.beam) +
                        " (beam), found " + std::to_string(options.n_best));
  }
  return {.beam = options.beam,
          .lenpen = options.lenpen,
          .max_len_a = options.max_len_a,
          .max_len_b = options.max_len_b,
          .min_len = options.min_len,
          .no_repeat_ngram_size = options.no_repeat_ngram_size};
}

// source: with its </s>.
std::unique_ptr<ltz_translations> translate(const ltz_model& model, const ltz::TokenIds& source,
                                            const ltz_options* given) {
  const ltz_options options = given == nullptr ? ltz_default_options() : *given;
  std::vector<ltz::Hypothesis> hypotheses;
  try {
    const std::span sentence(&source, 1);
    const ltz::BeamOptions beam = beam_options(options);
    hypotheses = ltz::is_empty(source)
                     ? std::vector{ltz::an_empty_translation()}
                     : std::move(ltz::beam_search(model.transformer, sentence, beam).front());
  } catch (const ltz::ConfigError& error) {
    throw ArgumentError(error.what());
  }
  hypotheses.resize(std::min(hypotheses.size(), static_cast<std::size_t>(options.n_best)));
  auto translations = std::make_unique<ltz_translations>();
  for (const ltz::Hypothesis& hypothesis : hypotheses) {
    translations->all.push_back({.text = model.codec.decode_target(hypothesis.tokens),
                                 .score = hypothesis.score,
                                 .ids = {hypothesis.tokens.begin(), hypothesis.tokens.end() - 1}});
  }
  return translations;
}

const ltz_translations::Translation* find(const ltz_translations* translations, std::size_t i) {
  return translations != nullptr && i < translations->all.size() ? &translations->all[i] : nullptr;
}

}  // namespace

ltz_options ltz_default_options() {
  const ltz::BeamOptions options;
  return {.beam = options.beam,
          .n_best = 1,
          .lenpen = options.lenpen,
          .max_len_a = options.max_len_a,
          .max_len_b = options.max_len_b,
          .min_len = options.min_len,
          .no_repeat_ngram_size = options.no_repeat_ngram_size};
}

const char* ltz_version() {
  return LTZ_VERSION;
}

ltz_model* ltz_open_memory(const void* bytes, size_t size, ltz_error* error) {
  return guarded(error, [&] {
    require(bytes, "bytes");
    return decode_model({static_cast<const std::byte*>(bytes), size}, "model in memory");
  });
}

void ltz_free_model(ltz_model* model) {
  delete model;
}

size_t ltz_source_vocabulary_size(const ltz_model* model) {
  return model == nullptr ? 0
                          : static_cast<size_t>(model->transformer.config().source_vocabulary_size);
}

size_t ltz_target_vocabulary_size(const ltz_model* model) {
  return model == nullptr ? 0
                          : static_cast<size_t>(model->transformer.config().target_vocabulary_size);
}

ltz_translations* ltz_translate(const ltz_model* model, const char* text,
                                const ltz_options* options, ltz_error* error) {
  return guarded(error, [&] {
    require(model, "model");
    require(text, "text");
    return translate(*model, model->codec.encode_source(text), options);
  });
}

ltz_translations* ltz_translate_ids(const ltz_model* model, const int32_t* ids, size_t count,
                                    const ltz_options* options, ltz_error* error) {
  return guarded(error, [&] {
    require(model, "model");
    if (count > 0) {
      require(ids, "ids");
    }
    ltz::TokenIds source(ids, ids + count);
    source.push_back(ltz::Vocabulary::kEos);
    return translate(*model, source, options);
  });
}

void ltz_free_translations(ltz_translations* translations) {
  delete translations;
}

size_t ltz_translations_count(const ltz_translations* translations) {
  return translations == nullptr ? 0 : translations->all.size();
}

const char* ltz_translation_text(const ltz_translations* translations, size_t i) {
  const auto* found = find(translations, i);
  return found == nullptr ? nullptr : found->text.c_str();
}

double ltz_translation_score(const ltz_translations* translations, size_t i) {
  const auto* found = find(translations, i);
  return found == nullptr ? std::numeric_limits<double>::quiet_NaN() : found->score;
}

const int32_t* ltz_translation_ids(const ltz_translations* translations, size_t i, size_t* count) {
  const auto* found = find(translations, i);
  if (count != nullptr) {
    *count = found == nullptr ? 0 : found->ids.size();
  }
  return found == nullptr ? nullptr : found->ids.data();
}
