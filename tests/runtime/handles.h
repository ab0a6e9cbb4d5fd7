#pragma once

#include <catch2/catch.hpp>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "formats/runtime/ltz_runtime.h"

// What tests of the C interface have in common.
struct Free {
  void operator()(ltz_model* model) const { ltz_free_model(model); }
  void operator()(ltz_translations* translations) const { ltz_free_translations(translations); }
  void operator()(ltz_lm_state* state) const { ltz_lm_free_state(state); }
  void operator()(ltz_lm_words* words) const { ltz_lm_free_words(words); }
};
using Model = std::unique_ptr<ltz_model, Free>;
using Translations = std::unique_ptr<ltz_translations, Free>;
using State = std::unique_ptr<ltz_lm_state, Free>;
using Words = std::unique_ptr<ltz_lm_words, Free>;

inline std::vector<std::int32_t> ids_of(const Translations& translations, std::size_t i) {
  std::size_t count = 99;
  const std::int32_t* ids = ltz_translation_ids(translations.get(), i, &count);
  return {ids, ids + count};
}

// The status of a call that must fail, with an explanation.
template <typename Call>
ltz_status refusal(const Call& call) {
  ltz_error error = {LTZ_OK, ""};
  CHECK(call(&error) == nullptr);
  CHECK(std::strlen(error.text) > 0);
  CHECK(call(nullptr) == nullptr);
  return error.status;
}
