// Facts: the stemmer in ROUGE-1.5.5.pl (Lin 2005).

#include "eval/scores/porter_stemmer.h"

#include <span>

namespace ltz::eval {
namespace {

bool is_vowel_letter(char c) {
  return c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u';
}

// A y is a vowel after a consonant.
bool is_vowel(char c, bool first, bool after_vowel) {
  return is_vowel_letter(c) || (c == 'y' && !first && !after_vowel);
}

struct Letters {
  bool have_vowel = false;
  int measure = 0;  // Porter's m: how often a consonant follows a vowel
};

Letters letters(std::string_view word) {
  Letters found;
  bool after_vowel = false;
  for (std::size_t i = 0; i < word.size(); ++i) {
    const bool vowel = is_vowel(word[i], i == 0, after_vowel);
    found.have_vowel = found.have_vowel || vowel;
    found.measure += after_vowel && !vowel ? 1 : 0;
    after_vowel = vowel;
  }
  return found;
}

bool has_vowel(std::string_view word) {
  return letters(word).have_vowel;
}

int measure(std::string_view word) {
  return letters(word).measure;
}

// Consonants, one vowel, one consonant other than w, x and y: "hop".
bool is_short(std::string_view word) {
  if (word.size() < 3) {
    return false;
  }
  const std::string_view end = word.substr(word.size() - 2);
  return std::string_view("aeiouy").find(end[0]) != std::string_view::npos &&
         std::string_view("aeiouwxy").find(end[1]) == std::string_view::npos &&
         !has_vowel(word.substr(0, word.size() - 2));
}

// What is before the suffix.
std::string_view without(std::string_view word, std::string_view suffix) {
  return word.substr(0, word.size() - suffix.size());
}

struct Rule {
  std::string_view suffix;
  std::string_view replacement;
};

// The rule whose suffix is the longest that the word has, or none.
const Rule* longest(std::string_view word, std::span<const Rule> rules) {
  const Rule* found = nullptr;
  for (const Rule& rule : rules) {
    if (word.ends_with(rule.suffix) &&
        (found == nullptr || rule.suffix.size() > found->suffix.size())) {
      found = &rule;
    }
  }
  return found;
}

// Applies that one, if what is before it has more than `m` of measure.
void replace(std::string& word, std::span<const Rule> rules, int m) {
  if (const Rule* rule = longest(word, rules)) {
    const std::string_view stem = without(word, rule->suffix);
    if (measure(stem) > m) {
      word = std::string(stem).append(rule->replacement);
    }
  }
}

void strip_plural(std::string& word) {
  if (word.ends_with("sses") || word.ends_with("ies")) {
    word.resize(word.size() - 2);
  } else if (word.size() > 1 && word.ends_with('s') && word[word.size() - 2] != 's') {
    word.pop_back();
  }
}

void strip_past_and_progressive(std::string& word) {
  if (word.ends_with("eed")) {
    if (measure(without(word, "eed")) > 0) {
      word.pop_back();
    }
    return;
  }
  const std::string_view suffix = word.ends_with("ed") ? "ed" : word.ends_with("ing") ? "ing" : "";
  if (suffix.empty() || !has_vowel(without(word, suffix))) {
    return;
  }
  word.resize(word.size() - suffix.size());
  const std::size_t size = word.size();
  if (word.ends_with("at") || word.ends_with("bl") || word.ends_with("iz")) {
    word += 'e';
  } else if (size > 1 && word[size - 1] == word[size - 2] &&
             std::string_view("aeiouylsz").find(word.back()) == std::string_view::npos) {
    word.pop_back();
  } else if (is_short(word)) {
    word += 'e';
  }
}

// "ion" has to follow s or t.
void strip_ent_or_ion(std::string& word) {
  const bool ion = word.ends_with("sion") || word.ends_with("tion");
  const std::string_view suffix = word.ends_with("ent") ? "ent" : ion ? "ion" : "";
  if (measure(without(word, suffix)) > 1) {
    word.resize(word.size() - suffix.size());
  }
}

void strip_last(std::string& word) {
  if (word.ends_with('e')) {
    const std::string_view stem = without(word, "e");
    if (measure(stem) > 1 || (measure(stem) == 1 && !is_short(stem))) {
      word.pop_back();
    }
  }
  if (word.ends_with("ll") && measure(word) > 1) {
    word.pop_back();
  }
}

constexpr Rule kStep2[] = {
    {"ational", "ate"}, {"tional", "tion"}, {"enci", "ence"}, {"anci", "ance"}, {"izer", "ize"},
    {"bli", "ble"},     {"alli", "al"},     {"entli", "ent"}, {"eli", "e"},     {"ousli", "ous"},
    {"ization", "ize"}, {"ation", "ate"},   {"ator", "ate"},  {"alism", "al"},  {"iveness", "ive"},
    {"fulness", "ful"}, {"ousness", "ous"}, {"aliti", "al"},  {"iviti", "ive"}, {"biliti", "ble"},
    {"logi", "log"}};
constexpr Rule kStep3[] = {{"icate", "ic"}, {"ative", ""}, {"alize", "al"}, {"iciti", "ic"},
                           {"ical", "ic"},  {"ful", ""},   {"ness", ""}};
constexpr Rule kStep4[] = {{"al", ""},    {"ance", ""}, {"ence", ""}, {"er", ""},
                           {"ic", ""},    {"able", ""}, {"ible", ""}, {"ant", ""},
                           {"ement", ""}, {"ou", ""},   {"ism", ""},  {"ate", ""},
                           {"iti", ""},   {"ous", ""},  {"ive", ""},  {"ize", ""}};
constexpr Rule kMent[] = {{"ment", ""}};

}  // namespace

std::string porter_stem(std::string_view text) {
  std::string word(text);
  strip_plural(word);
  strip_past_and_progressive(word);
  if (word.ends_with('y') && has_vowel(without(word, "y"))) {
    word.back() = 'i';
  }
  replace(word, kStep2, 0);
  replace(word, kStep3, 0);
  replace(word, kStep4, 1);
  replace(word, kMent, 1);
  strip_ent_or_ion(word);
  strip_last(word);
  return word;
}

}  // namespace ltz::eval
