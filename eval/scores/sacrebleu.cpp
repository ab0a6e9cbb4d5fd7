#include "eval/scores/sacrebleu.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace ltz::eval {

std::string reference_count(std::span<const Lines> references) {
  std::set<std::size_t> counts;
  for (std::size_t s = 0; s < references.front().size(); ++s) {
    const auto given = std::ranges::count_if(
        references, [&](const Lines& reference) { return !reference[s].empty(); });
    counts.insert(std::max<std::size_t>(1, static_cast<std::size_t>(given)));
  }
  return counts.size() == 1 ? std::to_string(*counts.begin()) : "var";
}

std::vector<std::pair<std::string, std::string>> signature(const SacreBleu& result) {
  const BleuOptions& options = result.options;
  std::vector<std::pair<std::string, std::string>> fields = {{"nrefs", result.references}};
  if (result.confidence) {
    fields.emplace_back("bs", std::to_string(result.bootstrap.samples));
    fields.emplace_back("seed", std::to_string(result.bootstrap.seed));
  }
  fields.emplace_back("case", options.lowercase ? "lc" : "mixed");
  fields.emplace_back("eff", "no");
  fields.emplace_back("tok", options.tokenizer == BleuTokenizer::k13a ? "13a" : "none");
  fields.emplace_back("smooth", options.smoothing == BleuSmoothing::kExp ? "exp" : "none");
  if (options.compound_split) {
    fields.emplace_back("compounds", "split");
  }
  fields.emplace_back("version", "ltz-" + result.version);
  return fields;
}

std::string signature_line(const SacreBleu& result) {
  std::string line;
  for (const auto& [key, value] : signature(result)) {
    line += fmt::format("{}{}:{}", line.empty() ? "" : "|", key, value);
  }
  return line;
}

std::string verbose_score(const Bleu& bleu) {
  return fmt::format(
      "{:.1f}/{:.1f}/{:.1f}/{:.1f} (BP = {:.3f} ratio = {:.3f} hyp_len = {} ref_len = {})",
      bleu.precisions[0], bleu.precisions[1], bleu.precisions[2], bleu.precisions[3],
      bleu.brevity_penalty, bleu.length_ratio(), bleu.hypothesis_length, bleu.reference_length);
}

std::string to_string(const Confidence& confidence) {
  return fmt::format("μ = {:.2f} ± {:.2f}", confidence.mean, confidence.half_width);
}

std::string to_string(const SacreBleu& result) {
  const std::string confidence =
      result.confidence ? fmt::format(" ({})", to_string(*result.confidence)) : "";
  return fmt::format("BLEU|{} = {:.2f}{} {}", signature_line(result), result.bleu.score, confidence,
                     verbose_score(result.bleu));
}

}  // namespace ltz::eval
