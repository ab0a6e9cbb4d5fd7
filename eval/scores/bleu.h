#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ltz::eval {

using Lines = std::vector<std::string>;

enum class BleuTokenizer {
  kNone,  // words between ASCII white space: for text that is tokenized already
  k13a,   // of mteval-v13a and sacreBLEU: for text that is not
};

enum class BleuSmoothing {
  kNone,
  // That of NIST's mteval and sacreBLEU (method 3, Chen & Cherry 2014): the k-th order with no
  // match counts as 1 / 2^k matches.
  kExp,
};

// What is done to a line, in this order: compounds, case, tokens. The default is Moses'
// multi-bleu.perl; sacreBLEU's is {.tokenizer = k13a, .smoothing = kExp}.
struct BleuOptions {
  bool compound_split = false;  // see split_compounds
  bool lowercase = false;       // of ASCII's letters, as multi-bleu -lc; of all, where this is
  bool unicode = false;         // sacreBLEU's (see lower_case), as it always is with k13a
  BleuTokenizer tokenizer = BleuTokenizer::kNone;
  BleuSmoothing smoothing = BleuSmoothing::kNone;
};

// "mixed", "lc" as sacreBLEU has it, or "lc-ascii" as multi-bleu does.
std::string_view case_name(const BleuOptions& options);

// The counts that BLEU needs of a sentence. Those of a corpus are the sum over its sentences.
struct BleuStatistics {
  std::array<std::int64_t, 4> matches = {};  // of 1- to 4-grams, clipped by the references
  std::array<std::int64_t, 4> totals = {};   // 1- to 4-grams of the hypothesis
  std::int64_t hypothesis_length = 0;        // tokens
  // Tokens of the reference whose length is the closest, the shorter one of two.
  std::int64_t reference_length = 0;

  BleuStatistics& operator+=(const BleuStatistics& other);
};

// Throws ConfigError when there is no reference or no line, or when the numbers of lines differ.
void require_same_lines(const Lines& hypotheses, std::span<const Lines> references);

// Statistics of each line. references: texts of as many lines as the hypothesis, at least one text.
// An empty line is a reference of no words (as in multi-bleu and sacreBLEU >= 2.2). Throws as
// require_same_lines does.
std::vector<BleuStatistics> bleu_statistics(const Lines& hypotheses,
                                            std::span<const Lines> references,
                                            const BleuOptions& options = {});

// Corpus BLEU (Papineni et al. 2002): geometric mean of the precisions of 1- to 4-grams times the
// brevity penalty.
struct Bleu {
  double score = 0.0;                     // 0 to 100
  std::array<double, 4> precisions = {};  // in percent, of 1- to 4-grams
  double brevity_penalty = 0.0;
  std::int64_t hypothesis_length = 0;  // tokens
  std::int64_t reference_length = 0;

  double length_ratio() const;  // hypothesis / reference, 0 if that is empty
};

// Without a match of any order the score is 0, smoothed or not.
Bleu score(const BleuStatistics& corpus, BleuSmoothing smoothing);

BleuStatistics sum(std::span<const BleuStatistics> sentences);

// BLEU against one reference. Throws as bleu_statistics does.
Bleu bleu(const Lines& hypotheses, const Lines& references, const BleuOptions& options = {});

// multi-bleu's line: "BLEU = 56.75, 79.1/62.5/50.1/40.3 (BP=1.000, ratio=1.003, hyp_len=…, …)".
std::string to_string(const Bleu& bleu);

}  // namespace ltz::eval
