#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ltz::eval {

// Corpus BLEU (Papineni et al. 2002) as Moses' multi-bleu.perl computes it: 1- to 4-grams of the
// tokens between white space, case-sensitive, one reference, brevity penalty, no smoothing.
struct Bleu {
  double score = 0.0;                     // 0 to 100
  std::array<double, 4> precisions = {};  // in percent, of 1- to 4-grams
  double brevity_penalty = 0.0;
  std::int64_t hypothesis_length = 0;  // tokens
  std::int64_t reference_length = 0;
};

// Throws ConfigError when the numbers of lines differ or when there is no line.
Bleu bleu(const std::vector<std::string>& hypotheses, const std::vector<std::string>& references);

// multi-bleu's line: "BLEU = 56.75, 79.1/62.5/50.1/40.3 (BP=1.000, ratio=1.003, hyp_len=…, …)".
std::string to_string(const Bleu& bleu);

}  // namespace ltz::eval
