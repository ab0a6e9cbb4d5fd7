#include "formats/runtime/ltz_runtime.h"

#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "formats/runtime/model.h"

namespace {

using namespace ltz::runtime;

// source: with its </s>.
std::unique_ptr<ltz_translations> translate(const ltz_model& model, const ltz::TokenIds& source,
                                            const ltz_options* given) {
  if (ltz::is_language_model(model.transformer.config())) {
    throw ArgumentError("expected a translation model, found a language model");
  }
  const ltz_options options = checked_options(given);
  const std::span sentence(&source, 1);
  const std::vector<ltz::Hypothesis> hypotheses = with_arguments([&] {
    const ltz::BeamOptions beam = beam_options(options);
    return ltz::is_empty(source)
               ? std::vector{ltz::an_empty_translation()}
               : std::move(ltz::beam_search(model.transformer, sentence, beam).front());
  });
  return n_best(model.codec, hypotheses, options.n_best);
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
