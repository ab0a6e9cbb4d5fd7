#pragma once

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "eval/scores/bleu.h"
#include "eval/scores/bootstrap.h"

// A BLEU in the words of sacreBLEU (Post 2018, "A Call for Clarity in Reporting BLEU Scores"). The
// layout is that of sacreBLEU 2; the version in it is ltz's, because ltz computed the score.
namespace ltz::eval {

// The default of sacreBLEU: 13a, mixed case, exponential smoothing.
inline constexpr BleuOptions kSacreBleu = {.tokenizer = BleuTokenizer::k13a,
                                           .smoothing = BleuSmoothing::kExp};

struct SacreBleu {
  Bleu bleu;
  BleuOptions options;
  std::string references = "1";  // how many; see reference_count
  std::optional<Confidence> confidence;
  BootstrapOptions bootstrap;  // what the confidence was found with
  std::string version;         // of ltz
};

// Number of references of a sentence, or "var" where empty lines make it vary.
std::string reference_count(std::span<const Lines> references);

// Keys and values in sacreBLEU's order: nrefs, [bs, seed,] case, eff, tok, smooth, [compounds,]
// version. sacreBLEU has no compound split, so that key is there only when they were split.
std::vector<std::pair<std::string, std::string>> signature(const SacreBleu& result);

// "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:ltz-0.1.0"
std::string signature_line(const SacreBleu& result);

// "82.4/50.0/45.5/37.5 (BP = 0.943 ratio = 0.944 hyp_len = 17 ref_len = 18)"
std::string verbose_score(const Bleu& bleu);

// "μ = 44.50 ± 0.70"
std::string to_string(const Confidence& confidence);

// "BLEU|SIGNATURE = 48.53 VERBOSE", with confidence "BLEU|SIGNATURE = 44.50 (μ = …) VERBOSE".
std::string to_string(const SacreBleu& result);

}  // namespace ltz::eval
