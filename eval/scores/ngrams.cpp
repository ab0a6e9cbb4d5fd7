#include "eval/scores/ngrams.h"

#include <algorithm>

namespace ltz::eval {
namespace {

using Ids = std::vector<std::uint32_t>;

// Replaces equal keys of all texts by equal numbers below `size`.
struct Numbered {
  std::vector<Ids> texts;
  std::size_t size = 0;
};

template <class Key>
Numbered number(const std::vector<std::vector<Key>>& texts) {
  std::vector<Key> table;
  for (const auto& text : texts) {
    table.insert(table.end(), text.begin(), text.end());
  }
  std::ranges::sort(table);
  table.erase(std::ranges::unique(table).begin(), table.end());
  Numbered numbered{.texts = {}, .size = table.size()};
  for (const auto& text : texts) {
    Ids& ids = numbered.texts.emplace_back();
    for (const Key& key : text) {
      ids.push_back(
          static_cast<std::uint32_t>(std::ranges::lower_bound(table, key) - table.begin()));
    }
  }
  return numbered;
}

std::vector<std::int64_t> counts(const Ids& ids, std::size_t size) {
  std::vector<std::int64_t> result(size);
  for (const std::uint32_t id : ids) {
    ++result[id];
  }
  return result;
}

// The first text is the hypothesis.
std::int64_t matches(const Numbered& grams) {
  std::vector<std::int64_t> most(grams.size);
  for (std::size_t r = 1; r < grams.texts.size(); ++r) {
    const auto reference = counts(grams.texts[r], grams.size);
    std::ranges::transform(most, reference, most.begin(), std::ranges::max);
  }
  std::int64_t total = 0;
  const auto hypothesis = counts(grams.texts[0], grams.size);
  for (std::size_t id = 0; id < grams.size; ++id) {
    total += std::min(hypothesis[id], most[id]);
  }
  return total;
}

}  // namespace

std::vector<std::int64_t> clipped_matches(const Words& hypothesis,
                                          std::span<const Words> references, std::size_t orders) {
  std::vector<Words> texts = {hypothesis};
  texts.insert(texts.end(), references.begin(), references.end());
  const Numbered words = number(texts);
  std::vector<std::int64_t> result;
  Numbered grams = words;
  for (std::size_t n = 1; n <= orders; ++n) {
    if (n > 1) {
      // An n-gram is the (n - 1)-gram at its place and the word behind it.
      std::vector<std::vector<std::uint64_t>> keys(texts.size());
      for (std::size_t t = 0; t < texts.size(); ++t) {
        const Ids& word = words.texts[t];
        for (std::size_t i = 0; i + n <= word.size(); ++i) {
          keys[t].push_back(std::uint64_t{grams.texts[t][i]} << 32 | word[i + n - 1]);
        }
      }
      grams = number(keys);
    }
    result.push_back(matches(grams));
  }
  return result;
}

}  // namespace ltz::eval
