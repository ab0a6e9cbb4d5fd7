#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "eval/scores/bleu.h"

// ROUGE (Lin 2004, "ROUGE: A Package for Automatic Evaluation of Summaries") of a summary against
// one reference, as ROUGE-1.5.5 counts: lower case, words of a-z and 0-9 with everything else
// between them, so that letters with accents separate too.
//
// One line is one summary. Papers on CNN/DailyMail score with files2rouge, which runs ROUGE-1.5.5
// with stemming (since July 2020; before, without) on sentences that end at each " .". Its ROUGE-L
// is rouge_lsum below: of Lite Transformer's Table 4, compare and R-Lsum.
namespace ltz::eval {

enum class RougeSentences {
  kFiles2rouge,    // a space and a full stop end one, also before other characters: " ..", " .5"
  kFullStopToken,  // a full stop between white space does, as in early versions of files2rouge
};

struct RougeOptions {
  bool stem = true;  // stems of words longer than 3 letters, ROUGE-1.5.5's -m; see porter_stem
  RougeSentences sentences = RougeSentences::kFiles2rouge;
};

// "porter" or "none".
std::string_view stem_name(const RougeOptions& options);
// "files2rouge" or "token".
std::string_view sentences_name(const RougeOptions& options);

// 0 to 1.
struct RougeScore {
  double precision = 0.0;
  double recall = 0.0;
  double f1 = 0.0;
};

struct Rouge {
  RougeScore rouge1;   // words
  RougeScore rouge2;   // pairs of words
  RougeScore rouge_l;  // longest common subsequence of the lines
  // Union of the longest common subsequences of each sentence of the reference with all sentences
  // of the summary (section 3.2), no word counted more often than either side has it (as
  // ROUGE-1.5.5 does, but not the paper).
  RougeScore rouge_lsum;
};

struct RougeMeasure {
  std::string_view name;   // as Google's rouge_score names it
  std::string_view label;  // as papers do
  RougeScore Rouge::*score;
};
inline constexpr std::array<RougeMeasure, 4> kRougeMeasures = {
    RougeMeasure{"rouge1", "R-1", &Rouge::rouge1}, RougeMeasure{"rouge2", "R-2", &Rouge::rouge2},
    RougeMeasure{"rougeL", "R-L", &Rouge::rouge_l},
    RougeMeasure{"rougeLsum", "R-Lsum", &Rouge::rouge_lsum}};

// Scores of one line; all 0 when either side has no word.
Rouge rouge(std::string_view summary, std::string_view reference, const RougeOptions& options = {});

// Scores of each line. Throws ConfigError when the numbers of lines differ or when there is no
// line.
std::vector<Rouge> rouge_of_lines(const Lines& summaries, const Lines& references,
                                  const RougeOptions& options = {});

// Means of precision, recall and F1 over lines: of a corpus, its ROUGE.
Rouge mean(std::span<const Rouge> lines);

// "R-1 40.10, R-2 17.40, R-L 30.20, R-Lsum 36.90": F1 in percent.
std::string to_string(const Rouge& rouge);

}  // namespace ltz::eval
