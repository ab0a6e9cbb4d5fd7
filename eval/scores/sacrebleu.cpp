#include "eval/scores/sacrebleu.h"

#include <fmt/format.h>

namespace ltz::eval {
namespace {

SignatureFields opening(const ScoreBasis& basis) {
  SignatureFields fields = {{"nrefs", std::to_string(basis.references)}};
  if (basis.confidence) {
    fields.emplace_back("bs", std::to_string(basis.bootstrap.samples));
    fields.emplace_back("seed", std::to_string(basis.bootstrap.seed));
  }
  return fields;
}

void add_version(const ScoreBasis& basis, SignatureFields& fields) {
  fields.emplace_back("version", "ltz-" + basis.version);
}

// " (μ = 44.50 ± 0.70)" or nothing.
std::string in_brackets(const std::optional<Confidence>& confidence) {
  return confidence ? fmt::format(" ({})", to_string(*confidence)) : "";
}

}  // namespace

std::string signature_line(const SignatureFields& fields) {
  std::string line;
  for (const auto& [key, value] : fields) {
    line += fmt::format("{}{}:{}", line.empty() ? "" : "|", key, value);
  }
  return line;
}

SignatureFields signature(const SacreBleu& result) {
  const BleuOptions& options = result.options;
  SignatureFields fields = opening(result.basis);
  fields.emplace_back("case", case_name(options));
  fields.emplace_back("eff", "no");
  fields.emplace_back("tok", options.tokenizer == BleuTokenizer::k13a ? "13a" : "none");
  fields.emplace_back("smooth", options.smoothing == BleuSmoothing::kExp ? "exp" : "none");
  if (options.compound_split) {
    fields.emplace_back("compounds", "split");
  }
  add_version(result.basis, fields);
  return fields;
}

SignatureFields signature(const SacreChrf& result) {
  SignatureFields fields = opening(result.basis);
  fields.emplace_back("case", result.options.lowercase ? "lc" : "mixed");
  fields.emplace_back("eff", "yes");
  fields.emplace_back("nc", std::to_string(kChrfCharacterOrder));
  fields.emplace_back("nw", std::to_string(result.options.word_order));
  fields.emplace_back("space", "no");
  add_version(result.basis, fields);
  return fields;
}

SignatureFields signature(const RougeOptions& options, const ScoreBasis& basis) {
  SignatureFields fields = opening(basis);
  fields.emplace_back("case", "lc-ascii");
  fields.emplace_back("stem", stem_name(options));
  fields.emplace_back("sentences", sentences_name(options));
  add_version(basis, fields);
  return fields;
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
  return fmt::format("BLEU|{} = {:.2f}{} {}", signature_line(signature(result)), result.bleu.score,
                     in_brackets(result.basis.confidence), verbose_score(result.bleu));
}

std::string to_string(const SacreChrf& result) {
  return fmt::format("{}|{} = {:.2f}{}", name(result.options), signature_line(signature(result)),
                     result.score, in_brackets(result.basis.confidence));
}

}  // namespace ltz::eval
