#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "eval/scores/bleu.h"
#include "eval/scores/bootstrap.h"
#include "eval/scores/chrf.h"
#include "eval/scores/rouge.h"

// Scores in the words of sacreBLEU (Post 2018, "A Call for Clarity in Reporting BLEU Scores"). The
// layout is that of sacreBLEU 2; the version in it is ltz's, because ltz computed the score.
namespace ltz::eval {

// The default of sacreBLEU: 13a, mixed case, exponential smoothing.
inline constexpr BleuOptions kSacreBleu = {
    .unicode = true, .tokenizer = BleuTokenizer::k13a, .smoothing = BleuSmoothing::kExp};

// Keys and values in sacreBLEU's order.
using SignatureFields = std::vector<std::pair<std::string, std::string>>;

// "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:ltz-0.1.0"
std::string signature_line(const SignatureFields& fields);

// What scores have in common.
struct ScoreBasis {
  std::size_t references = 1;
  std::optional<Confidence> confidence;
  BootstrapOptions bootstrap;  // what the confidence was found with
  std::string version;         // of ltz
};

struct SacreBleu {
  Bleu bleu;
  BleuOptions options;
  ScoreBasis basis;
};

// nrefs, [bs, seed,] case, eff, tok, smooth, [compounds,] version. sacreBLEU has no compound split,
// so that key is there only when they were split.
SignatureFields signature(const SacreBleu& result);

// "82.4/50.0/45.5/37.5 (BP = 0.943 ratio = 0.944 hyp_len = 17 ref_len = 18)"
std::string verbose_score(const Bleu& bleu);

// "μ = 44.50 ± 0.70"
std::string to_string(const Confidence& confidence);

// "BLEU|SIGNATURE = 48.53 VERBOSE", with confidence "BLEU|SIGNATURE = 44.50 (μ = …) VERBOSE".
std::string to_string(const SacreBleu& result);

struct SacreChrf {
  double score = 0.0;
  ChrfOptions options;
  ScoreBasis basis;
};

// nrefs, [bs, seed,] case, eff, nc, nw, space, version.
SignatureFields signature(const SacreChrf& result);

// "chrF2|SIGNATURE = 59.73"
std::string to_string(const SacreChrf& result);

// In the same manner: nrefs, [bs, seed,] case, stem, sentences, version.
SignatureFields signature(const RougeOptions& options, const ScoreBasis& basis);

}  // namespace ltz::eval
