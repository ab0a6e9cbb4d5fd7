#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "eval/scores/bleu.h"

// chrF (Popovic 2015, "chrF: character n-gram F-score for automatic MT evaluation") and chrF++
// (Popovic 2017), as sacreBLEU 2 has them: F2 of the means of precision and recall over the orders
// of which both sides have an n-gram. White space is no character.
namespace ltz::eval {

struct ChrfOptions {
  bool lowercase = false;  // see lower_case
  int word_order = 0;      // 2: chrF++, with pairs of words as well
  int beta = 2;            // how much more recall counts than precision
};

inline constexpr int kChrfCharacterOrder = 6;
inline constexpr int kMaxChrfWordOrder = 2;

// What chrF needs of a sentence, by order: characters first, then words. Those of a corpus are the
// sum over its sentences.
struct ChrfStatistics {
  static constexpr std::size_t kOrders = kChrfCharacterOrder + kMaxChrfWordOrder;
  std::array<std::int64_t, kOrders> hypothesis = {};  // n-grams; 0 where the reference has none
  std::array<std::int64_t, kOrders> reference = {};
  std::array<std::int64_t, kOrders> matches = {};

  ChrfStatistics& operator+=(const ChrfStatistics& other);
};

// Statistics of each line against the reference that is best for it. Throws as bleu_statistics
// does.
std::vector<ChrfStatistics> chrf_statistics(const Lines& hypotheses,
                                            std::span<const Lines> references,
                                            const ChrfOptions& options = {});

// 0 to 100.
double score(const ChrfStatistics& corpus, const ChrfOptions& options);

ChrfStatistics sum(std::span<const ChrfStatistics> sentences);

// "chrF2", with pairs of words "chrF2++".
std::string name(const ChrfOptions& options);

}  // namespace ltz::eval
