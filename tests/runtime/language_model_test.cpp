#include <array>
#include <cmath>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <utility>

#include "tests/runtime/handles.h"

namespace {

const std::string kPath = LTZ_RUNTIME_TESTS_DIR "/language-model.ltz";
const std::string kTranslationPath = LTZ_EXAMPLES_DIR "/tatoeba-160/balanced.ltz";
const char* const kText = "the zeti donu gesa zoza fore .";
constexpr int kLongest = 128;  // text of the model, </s> and all

const ltz_model* language_model() {
  static const Model model(ltz_open_file(kPath.c_str(), nullptr));
  REQUIRE(model != nullptr);
  return model.get();
}

const ltz_model* translation_model() {
  static const Model model(ltz_open_file(kTranslationPath.c_str(), nullptr));
  REQUIRE(model != nullptr);
  return model.get();
}

// Kind, text and two more columns of language-model.expected.
using Line = std::array<std::string, 4>;
std::vector<Line> expected(const std::string& kind) {
  std::ifstream file(LTZ_RUNTIME_TESTS_DIR "/language-model.expected");
  std::vector<Line> lines;
  for (std::string text; std::getline(file, text);) {
    std::istringstream columns(text);
    Line line;
    for (std::string& column : line) {
      std::getline(columns, column, '\t');
    }
    if (line.front() == kind) {
      lines.push_back(line);
    }
  }
  REQUIRE(!lines.empty());
  return lines;
}

State state_of(const char* text) {
  State state(ltz_lm_start(language_model(), nullptr));
  REQUIRE(ltz_lm_extend(state.get(), text, nullptr) == LTZ_OK);
  return state;
}

Words next(const State& state, const char* beginning = nullptr, std::size_t count = 1000) {
  Words words(ltz_lm_next(state.get(), beginning, count, nullptr));
  REQUIRE(words != nullptr);
  return words;
}

std::vector<std::string> texts_of(const Words& words) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < ltz_lm_words_count(words.get()); ++i) {
    texts.emplace_back(ltz_lm_word_text(words.get(), i));
  }
  return texts;
}

std::int32_t id_of(const Words& words, std::size_t i) {
  std::size_t count = 0;
  const std::int32_t* ids = ltz_lm_word_ids(words.get(), i, &count);
  REQUIRE(count == 1);
  return *ids;
}

// Of a word among all that may follow.
double log_probability(const Words& words, std::int32_t id) {
  for (std::size_t i = 0; i < ltz_lm_words_count(words.get()); ++i) {
    if (id_of(words, i) == id) {
      return ltz_lm_word_log_probability(words.get(), i);
    }
  }
  FAIL("no word has the id " << id);
  return 0.0;
}

ltz_status extension(ltz_lm_state* state, const std::vector<std::int32_t>& ids,
                     std::string* why = nullptr) {
  ltz_error error = {LTZ_INTERNAL_ERROR, "not touched"};
  const ltz_status status = ltz_lm_extend_ids(state, ids.data(), ids.size(), &error);
  CHECK(error.status == status);
  CHECK(ltz_lm_extend_ids(state, nullptr, 0, nullptr) ==
        (state == nullptr ? LTZ_INVALID_ARGUMENT : LTZ_OK));
  if (why != nullptr) {
    *why = error.text;
  }
  return status;
}

}  // namespace

TEST_CASE("a text has the log probability that the reference gives it") {
  for (const Line& line : expected("score")) {
    const Words words(ltz_lm_score(language_model(), line[1].c_str(), nullptr));
    CAPTURE(line[1]);
    CHECK(ltz_lm_words_total(words.get()) == Approx(std::stod(line[2])).margin(1e-3));
    CHECK(ltz_lm_words_count(words.get()) == std::stoul(line[3]));
    CHECK(texts_of(words).back() == "</s>");
  }
}

TEST_CASE("the next words are the reference's, best first") {
  const std::vector<Line> lines = expected("next");
  for (std::size_t i = 0; i < lines.size(); i += 10) {
    const Words words = next(state_of(lines[i][1].c_str()), "", 10);
    REQUIRE(ltz_lm_words_count(words.get()) == 10);
    for (std::size_t rank = 0; rank < 10; ++rank) {
      CHECK(ltz_lm_word_log_probability(words.get(), rank) ==
            Approx(std::stod(lines[i + rank][2])).margin(1e-4));
      CHECK(ltz_lm_word_text(words.get(), rank) == lines[i + rank][3]);
    }
  }
}

TEST_CASE("completions are the reference's hypotheses, without the text itself") {
  ltz_options options = ltz_default_options();
  options.n_best = 4;
  options.lenpen = 1.0;
  options.max_len_b = 20;
  const std::vector<Line> lines = expected("complete");
  for (std::size_t i = 0; i < lines.size(); i += 4) {
    const Translations found(
        ltz_lm_complete(language_model(), lines[i][1].c_str(), &options, nullptr));
    REQUIRE(ltz_translations_count(found.get()) == 4);
    for (std::size_t rank = 0; rank < 4; ++rank) {
      CHECK(ltz_translation_score(found.get(), rank) ==
            Approx(std::stod(lines[i + rank][2])).margin(1e-4));
      CHECK(ltz_translation_text(found.get(), rank) == lines[i + rank][3]);
    }
  }
}

TEST_CASE("a state that reads word by word sees what scoring sees, and sums up to one") {
  const Words whole(ltz_lm_score(language_model(), kText, nullptr));
  const State state(ltz_lm_start(language_model(), nullptr));
  for (std::size_t i = 0; i < ltz_lm_words_count(whole.get()); ++i) {
    CHECK(ltz_lm_length(state.get()) == i);
    const Words all = next(state);
    double sum = 0.0;
    for (std::size_t w = 0; w < ltz_lm_words_count(all.get()); ++w) {
      sum += std::exp(ltz_lm_word_log_probability(all.get(), w));
    }
    CHECK(sum < 1.0);  // <pad> has its share, too
    CHECK(sum > 0.95);
    CHECK(log_probability(all, id_of(whole, i)) ==
          Approx(ltz_lm_word_log_probability(whole.get(), i)).margin(1e-5));
    if (i + 1 < ltz_lm_words_count(whole.get())) {
      REQUIRE(ltz_lm_extend(state.get(), ltz_lm_word_text(whole.get(), i), nullptr) == LTZ_OK);
    }
  }
}

TEST_CASE("a copied state goes on independently, and lives longer") {
  State first = state_of("the zeti");
  const State copy(ltz_lm_copy(first.get(), nullptr));
  REQUIRE(ltz_lm_extend(first.get(), "donu gesa", nullptr) == LTZ_OK);
  CHECK(ltz_lm_length(copy.get()) == 2);
  CHECK(texts_of(next(first, nullptr, 20)) ==
        texts_of(next(state_of("the zeti donu gesa"), nullptr, 20)));
  first.reset();
  REQUIRE(ltz_lm_extend(copy.get(), "fore", nullptr) == LTZ_OK);
  const Words found = next(copy, nullptr, 20);
  const Words wanted = next(state_of("the zeti fore"), nullptr, 20);
  CHECK(texts_of(found) == texts_of(wanted));
  CHECK(ltz_lm_words_total(found.get()) == Approx(ltz_lm_words_total(wanted.get())));
}

TEST_CASE("next words begin with what was typed, as likely as without it") {
  const State state = state_of("the zeti");
  const Words all = next(state);
  for (const std::string beginning : {"b", "fafu", "zoz", "fafuroé", "Fe"}) {
    std::vector<std::string> wanted;
    for (const std::string& text : texts_of(all)) {
      if (text.starts_with(beginning)) {
        wanted.push_back(text);
      }
    }
    CAPTURE(beginning);
    REQUIRE(!wanted.empty());
    const Words found = next(state, beginning.c_str());
    CHECK(texts_of(found) == wanted);
    CHECK(ltz_lm_word_log_probability(found.get(), 0) == log_probability(all, id_of(found, 0)));
    CHECK(texts_of(next(state, beginning.c_str(), 1)) == std::vector{wanted.front()});
  }
  CHECK(texts_of(next(state, "<")).empty());
  CHECK(texts_of(next(state, "xyz")).empty());
}

TEST_CASE("ids and text are two ways to say the same to a language model") {
  const Words words(ltz_lm_score(language_model(), kText, nullptr));
  std::vector<std::int32_t> ids;
  for (std::size_t i = 0; i + 1 < ltz_lm_words_count(words.get()); ++i) {
    ids.push_back(id_of(words, i));
  }
  const Words from_ids(ltz_lm_score_ids(language_model(), ids.data(), ids.size(), nullptr));
  CHECK(texts_of(from_ids) == texts_of(words));
  CHECK(ltz_lm_words_total(from_ids.get()) == ltz_lm_words_total(words.get()));
  const State state(ltz_lm_start(language_model(), nullptr));
  CHECK(extension(state.get(), ids) == LTZ_OK);
  CHECK(texts_of(next(state, nullptr, 20)) == texts_of(next(state_of(kText), nullptr, 20)));
  const Translations completed(
      ltz_lm_complete_ids(language_model(), ids.data(), ids.size(), nullptr, nullptr));
  const Translations same(ltz_lm_complete(language_model(), kText, nullptr, nullptr));
  CHECK(ids_of(completed, 0) == ids_of(same, 0));
  const Words nothing(ltz_lm_score_ids(language_model(), nullptr, 0, nullptr));
  CHECK(texts_of(nothing) == std::vector<std::string>{"</s>"});
}

TEST_CASE("several threads read with one language model at the same time") {
  const std::vector<std::string> wanted = texts_of(next(state_of(kText), nullptr, 5));
  const State shared = state_of("the zeti donu");
  std::vector<int> wrong(3);
  std::vector<std::thread> threads;
  for (int& count : wrong) {
    threads.emplace_back([&] {
      for (int i = 0; i < 10; ++i) {
        const State mine(ltz_lm_copy(shared.get(), nullptr));
        ltz_lm_extend(mine.get(), "gesa zoza fore .", nullptr);
        const Words words(ltz_lm_next(mine.get(), nullptr, 5, nullptr));
        count += texts_of(words) == wanted ? 0 : 1;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  CHECK(wrong == std::vector<int>(3));
}

TEST_CASE("each kind of model refuses the calls for the other and says so") {
  const std::int32_t id = 5;
  ltz_error error = {LTZ_OK, ""};
  CHECK(ltz_source_vocabulary_size(language_model()) == 0);
  CHECK(ltz_target_vocabulary_size(language_model()) == 304);
  CHECK(ltz_translate(language_model(), "the", nullptr, &error) == nullptr);
  CHECK(error.status == LTZ_INVALID_ARGUMENT);
  CHECK(std::string(error.text) == "expected a translation model, found a language model");
  CHECK(refusal([](ltz_error* e) { return ltz_translate(language_model(), "", nullptr, e); }) ==
        LTZ_INVALID_ARGUMENT);
  CHECK(refusal([&](ltz_error* e) {
          return ltz_translate_ids(language_model(), &id, 1, nullptr, e);
        }) == LTZ_INVALID_ARGUMENT);

  CHECK(ltz_lm_start(translation_model(), &error) == nullptr);
  CHECK(error.status == LTZ_INVALID_ARGUMENT);
  CHECK(std::string(error.text) == "expected a language model, found a translation model");
  const ltz_model* other = translation_model();
  CHECK(refusal([&](ltz_error* e) { return ltz_lm_score(other, "a", e); }) == LTZ_INVALID_ARGUMENT);
  CHECK(refusal([&](ltz_error* e) { return ltz_lm_score_ids(other, &id, 1, e); }) ==
        LTZ_INVALID_ARGUMENT);
  CHECK(refusal([&](ltz_error* e) { return ltz_lm_complete(other, "a", nullptr, e); }) ==
        LTZ_INVALID_ARGUMENT);
  CHECK(refusal([&](ltz_error* e) { return ltz_lm_complete_ids(other, &id, 1, nullptr, e); }) ==
        LTZ_INVALID_ARGUMENT);
}

TEST_CASE("null is refused by language models where something has to be") {
  const State state = state_of("the");
  const ltz_model* model = language_model();
  CHECK(refusal([](ltz_error* e) { return ltz_lm_start(nullptr, e); }) == LTZ_INVALID_ARGUMENT);
  CHECK(refusal([](ltz_error* e) { return ltz_lm_score(nullptr, "a", e); }) ==
        LTZ_INVALID_ARGUMENT);
  CHECK(refusal([&](ltz_error* e) { return ltz_lm_score(model, nullptr, e); }) ==
        LTZ_INVALID_ARGUMENT);
  CHECK(refusal([&](ltz_error* e) { return ltz_lm_score_ids(model, nullptr, 1, e); }) ==
        LTZ_INVALID_ARGUMENT);
  CHECK(refusal([](ltz_error* e) { return ltz_lm_copy(nullptr, e); }) == LTZ_INVALID_ARGUMENT);
  CHECK(refusal([](ltz_error* e) { return ltz_lm_next(nullptr, "", 1, e); }) ==
        LTZ_INVALID_ARGUMENT);
  CHECK(refusal([&](ltz_error* e) { return ltz_lm_next(state.get(), "", 0, e); }) ==
        LTZ_INVALID_ARGUMENT);
  CHECK(refusal([&](ltz_error* e) { return ltz_lm_complete(model, nullptr, nullptr, e); }) ==
        LTZ_INVALID_ARGUMENT);
  CHECK(extension(nullptr, {5}) == LTZ_INVALID_ARGUMENT);
  CHECK(ltz_lm_extend(state.get(), nullptr, nullptr) == LTZ_INVALID_ARGUMENT);
  CHECK(ltz_lm_extend_ids(state.get(), nullptr, 1, nullptr) == LTZ_INVALID_ARGUMENT);
  CHECK(ltz_lm_length(nullptr) == 0);
  ltz_lm_free_state(nullptr);
  ltz_lm_free_words(nullptr);
  const Words words = next(state, nullptr, 1);
  CHECK(ltz_lm_words_count(nullptr) == 0);
  CHECK(std::isnan(ltz_lm_words_total(nullptr)));
  for (const auto& [list, i] : {std::pair<const ltz_lm_words*, std::size_t>{nullptr, 0},
                                std::pair<const ltz_lm_words*, std::size_t>{words.get(), 1}}) {
    std::size_t count = 99;
    CHECK(ltz_lm_word_text(list, i) == nullptr);
    CHECK(std::isnan(ltz_lm_word_log_probability(list, i)));
    CHECK(ltz_lm_word_ids(list, i, &count) == nullptr);
    CHECK(count == 0);
  }
}

TEST_CASE("ids and lengths out of range are refused, and a state stays what it was") {
  const State state = state_of("the zeti");
  const std::vector<std::string> before = texts_of(next(state));
  std::string why;
  for (const std::int32_t id : {-1, 304, INT32_MAX, INT32_MIN}) {
    CHECK(extension(state.get(), {5, id}, &why) == LTZ_INVALID_ARGUMENT);
    CHECK(why.find(std::to_string(id)) != std::string::npos);
    CHECK(refusal([&](ltz_error* e) { return ltz_lm_score_ids(language_model(), &id, 1, e); }) ==
          LTZ_INVALID_ARGUMENT);
    CHECK(refusal([&](ltz_error* e) {
            return ltz_lm_complete_ids(language_model(), &id, 1, nullptr, e);
          }) == LTZ_INVALID_ARGUMENT);
  }
  const std::vector<std::int32_t> full(kLongest - 1 - 2, 5);
  std::vector<std::int32_t> longer = full;
  longer.push_back(5);
  CHECK(extension(state.get(), longer, &why) == LTZ_INVALID_ARGUMENT);
  CHECK(why == "a text has 128 tokens, the model takes at most 127");
  CHECK(ltz_lm_length(state.get()) == 2);
  CHECK(texts_of(next(state)) == before);
  CHECK(extension(state.get(), full) == LTZ_OK);
  CHECK(ltz_lm_words_count(next(state, nullptr, 3).get()) == 3);
  const std::vector<std::int32_t> too_long(kLongest, 5);
  CHECK(refusal([&](ltz_error* e) {
          return ltz_lm_score_ids(language_model(), too_long.data(), too_long.size(), e);
        }) == LTZ_INVALID_ARGUMENT);
  ltz_options options = ltz_default_options();
  options.max_len_b = 1;
  CHECK(refusal([&](ltz_error* e) {
          return ltz_lm_complete(language_model(), "the zeti", &options, e);
        }) == LTZ_INVALID_ARGUMENT);
  options = ltz_default_options();
  options.n_best = 9;
  CHECK(refusal([&](ltz_error* e) {
          return ltz_lm_complete(language_model(), "the", &options, e);
        }) == LTZ_INVALID_ARGUMENT);
}
