#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <fstream>
#include <functional>
#include <initializer_list>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "tests/runtime/handles.h"

namespace {

const std::string kPath = LTZ_EXAMPLES_DIR "/tatoeba-160/balanced.ltz";
const char* const kText = "I am tired .";

std::string example_bytes() {
  std::ifstream file(kPath, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

const ltz_model* example() {
  static const Model model(ltz_open_file(kPath.c_str(), nullptr));
  REQUIRE(model != nullptr);
  return model.get();
}

ltz_status refused(const char* text, const ltz_options& options) {
  return refusal([&](ltz_error* error) { return ltz_translate(example(), text, &options, error); });
}

ltz_status refused(const std::string& bytes) {
  return refusal(
      [&](ltz_error* error) { return ltz_open_memory(bytes.data(), bytes.size(), error); });
}

}  // namespace

TEST_CASE("a model from memory translates as the one from the file, without the bytes") {
  ltz_error error = {LTZ_INTERNAL_ERROR, "not touched"};
  std::string bytes = example_bytes();
  const Model model(ltz_open_memory(bytes.data(), bytes.size(), &error));
  bytes.assign(bytes.size(), '\0');
  REQUIRE(model != nullptr);
  CHECK(error.status == LTZ_OK);
  CHECK(std::string(error.text).empty());
  const Translations here(ltz_translate(model.get(), kText, nullptr, nullptr));
  const Translations there(ltz_translate(example(), kText, nullptr, nullptr));
  REQUIRE(ltz_translations_count(here.get()) == 1);
  CHECK(std::string(ltz_translation_text(here.get(), 0)) == "Je suis fatigué .");
  CHECK(std::string(ltz_translation_text(there.get(), 0)) == "Je suis fatigué .");
  CHECK(ltz_translation_score(here.get(), 0) == ltz_translation_score(there.get(), 0));
  CHECK(ltz_source_vocabulary_size(model.get()) == ltz_target_vocabulary_size(model.get()));
}

TEST_CASE("n-best translations differ and are in the order of their scores") {
  ltz_options options = ltz_default_options();
  options.beam = 6;
  options.n_best = 5;
  const Translations translations(ltz_translate(example(), kText, &options, nullptr));
  REQUIRE(ltz_translations_count(translations.get()) == 5);
  for (std::size_t i = 1; i < 5; ++i) {
    CHECK(ltz_translation_score(translations.get(), i) <=
          ltz_translation_score(translations.get(), i - 1));
    CHECK(ids_of(translations, i) != ids_of(translations, i - 1));
  }
}

TEST_CASE("ids and text are two ways to say the same") {
  // The example's source and target words are the same, so that a translation's ids are a source's.
  const Translations words(ltz_translate(example(), kText, nullptr, nullptr));
  const std::vector<std::int32_t> ids = ids_of(words, 0);
  REQUIRE(!ids.empty());
  const Translations from_ids(
      ltz_translate_ids(example(), ids.data(), ids.size(), nullptr, nullptr));
  const Translations from_text(
      ltz_translate(example(), ltz_translation_text(words.get(), 0), nullptr, nullptr));
  CHECK(ids_of(from_ids, 0) == ids_of(from_text, 0));
  CHECK(ltz_translation_score(from_ids.get(), 0) == ltz_translation_score(from_text.get(), 0));
  const Translations from_nothing(ltz_translate_ids(example(), nullptr, 0, nullptr, nullptr));
  const Translations from_empty(ltz_translate(example(), " \n", nullptr, nullptr));
  for (const Translations& translations : {std::cref(from_nothing), std::cref(from_empty)}) {
    CHECK(ltz_translations_count(translations.get()) == 1);
    CHECK(std::string(ltz_translation_text(translations.get(), 0)).empty());
    CHECK(ltz_translation_score(translations.get(), 0) == 0.0);
    CHECK(ids_of(translations, 0).empty());
  }
}

TEST_CASE("options do what they say") {
  ltz_options options = ltz_default_options();
  options.max_len_b = 2;
  const Translations cut(ltz_translate(example(), kText, &options, nullptr));
  CHECK(ids_of(cut, 0).size() == 2);
  options.max_len_b = 20;
  options.min_len = 9;
  const Translations stretched(ltz_translate(example(), kText, &options, nullptr));
  CHECK(ids_of(stretched, 0).size() >= 9);
  // The score is of a mean when the length counts in full.
  options = ltz_default_options();
  options.beam = 1;
  options.lenpen = 0.0;
  const Translations sum(ltz_translate(example(), kText, &options, nullptr));
  options.lenpen = 1.0;
  const Translations mean(ltz_translate(example(), kText, &options, nullptr));
  const auto tokens = static_cast<double>(ids_of(sum, 0).size() + 1);
  REQUIRE(ids_of(sum, 0) == ids_of(mean, 0));
  CHECK(ltz_translation_score(mean.get(), 0) ==
        Approx(ltz_translation_score(sum.get(), 0) / tokens));
}

TEST_CASE("several threads translate with one model at the same time") {
  const std::vector<std::string> texts = {kText, "where is the station ?", "I don't know .", ""};
  std::vector<std::string> expected;
  for (const std::string& text : texts) {
    const Translations alone(ltz_translate(example(), text.c_str(), nullptr, nullptr));
    expected.push_back(ltz_translation_text(alone.get(), 0));
  }
  std::vector<int> wrong(3);
  std::vector<std::thread> threads;
  for (int& count : wrong) {
    threads.emplace_back([&] {
      for (std::size_t i = 0; i < 2 * texts.size(); ++i) {
        const std::size_t text = i % texts.size();
        const Translations translations(
            ltz_translate(example(), texts[text].c_str(), nullptr, nullptr));
        const char* found = ltz_translation_text(translations.get(), 0);
        count += found != nullptr && expected[text] == found ? 0 : 1;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  CHECK(wrong == std::vector<int>(3));
}

TEST_CASE("null is refused where something has to be, and is nothing elsewhere") {
  const std::int32_t id = 5;
  const ltz_model* none = nullptr;
  CHECK(refusal([](ltz_error* e) { return ltz_open_memory(nullptr, 9, e); }) ==
        LTZ_INVALID_ARGUMENT);
  CHECK(refusal([](ltz_error* e) { return ltz_open_file(nullptr, e); }) == LTZ_INVALID_ARGUMENT);
  CHECK(refusal([&](ltz_error* e) { return ltz_translate(none, kText, nullptr, e); }) ==
        LTZ_INVALID_ARGUMENT);
  CHECK(refusal([](ltz_error* e) { return ltz_translate(example(), nullptr, nullptr, e); }) ==
        LTZ_INVALID_ARGUMENT);
  CHECK(refusal([&](ltz_error* e) { return ltz_translate_ids(none, &id, 1, nullptr, e); }) ==
        LTZ_INVALID_ARGUMENT);
  CHECK(refusal([](ltz_error* e) {
          return ltz_translate_ids(example(), nullptr, 1, nullptr, e);
        }) == LTZ_INVALID_ARGUMENT);
  ltz_free_model(nullptr);
  ltz_free_translations(nullptr);
  CHECK(ltz_source_vocabulary_size(nullptr) + ltz_target_vocabulary_size(nullptr) == 0);
  CHECK(ltz_translations_count(nullptr) == 0);
  const Translations one(ltz_translate(example(), kText, nullptr, nullptr));
  for (const ltz_translations* translations :
       std::initializer_list<const ltz_translations*>{nullptr, one.get()}) {
    std::size_t count = 99;
    CHECK(ltz_translation_text(translations, 1) == nullptr);
    CHECK(std::isnan(ltz_translation_score(translations, 1)));
    CHECK(ltz_translation_ids(translations, 1, &count) == nullptr);
    CHECK(count == 0);
  }
  CHECK(ltz_translation_ids(one.get(), 0, nullptr) != nullptr);
}

TEST_CASE("options and ids out of range are refused, and the model goes on") {
  const auto options = [](const auto& change) {
    ltz_options options = ltz_default_options();
    change(options);
    return options;
  };
  const std::vector<ltz_options> wrong = {
      options([](ltz_options& o) { o.beam = 0; }),
      options([](ltz_options& o) { o.n_best = 0; }),
      options([](ltz_options& o) { o.n_best = 5; }),
      options([](ltz_options& o) { o.lenpen = NAN; }),
      options([](ltz_options& o) { o.max_len_a = -1; }),
      options([](ltz_options& o) { o.max_len_b = -1; }),
      options([](ltz_options& o) { o.min_len = 201; }),
      options([](ltz_options& o) { o.no_repeat_ngram_size = -1; }),
  };
  for (const ltz_options& o : wrong) {
    CHECK(refused(kText, o) == LTZ_INVALID_ARGUMENT);
  }
  const auto end = static_cast<std::int32_t>(ltz_source_vocabulary_size(example()));
  for (const std::int32_t id : {-1, end, INT32_MAX, INT32_MIN}) {
    CHECK(refusal([&](ltz_error* error) {
            return ltz_translate_ids(example(), &id, 1, nullptr, error);
          }) == LTZ_INVALID_ARGUMENT);
  }
  std::string long_text;
  for (int i = 0; i < 5000; ++i) {
    long_text += "a ";
  }
  CHECK(refused(long_text.c_str(), ltz_default_options()) == LTZ_INVALID_ARGUMENT);
  const Translations after(ltz_translate(example(), kText, nullptr, nullptr));
  CHECK(ltz_translations_count(after.get()) == 1);
}

TEST_CASE("text that is no UTF-8 is translated, unknown words and all") {
  const Translations translations(
      ltz_translate(example(), "\xff\xc3 \xe2\x82 x", nullptr, nullptr));
  CHECK(ltz_translations_count(translations.get()) == 1);
}

TEST_CASE("bad bytes and files are refused") {
  const std::string good = example_bytes();
  CHECK(refused("") == LTZ_INVALID_MODEL);
  CHECK(refused("PK\x03\x04 something else") == LTZ_INVALID_MODEL);
  for (std::size_t size = 1; size < good.size(); size += size) {
    CHECK(refused(good.substr(0, size)) == LTZ_INVALID_MODEL);
  }
  for (std::size_t place = 0; place < good.size(); place = 3 * place + 1) {
    std::string bad = good;
    bad[place] ^= 4;
    CHECK(refused(bad) == LTZ_INVALID_MODEL);
  }
  const std::string missing = kPath + ".missing/" + std::string(500, 'x');
  ltz_error error;
  CHECK(ltz_open_file(missing.c_str(), &error) == nullptr);
  CHECK(error.status == LTZ_UNREADABLE_FILE);
  CHECK(std::strlen(error.text) == sizeof(error.text) - 1);  // cut, but ended
  CHECK(refusal([](ltz_error* e) { return ltz_open_file(LTZ_EXAMPLES_DIR, e); }) ==
        LTZ_UNREADABLE_FILE);
}

TEST_CASE("the version is the project's") {
  CHECK(std::string(ltz_version()) == LTZ_VERSION);
}
