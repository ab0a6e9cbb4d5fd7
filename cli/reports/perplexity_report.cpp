#include "cli/reports/perplexity_report.h"

#include <fmt/format.h>

#include <cmath>
#include <numbers>

namespace ltz::cli {
namespace {

// name: of the thing that one of these is the NLL of.
std::string mean_text(double nll, const char* name) {
  return fmt::format("NLL {:.5f} nats per {} ({:.5f} bits), perplexity {:.3f}\n", nll, name,
                     nll / std::numbers::ln2, std::exp(nll));
}

}  // namespace

PerplexityReport perplexity_report(const eval::Perplexity& measured,
                                   const PerplexityReportOptions& options) {
  const double nll = measured.nll();
  const double unknown =
      static_cast<double>(measured.unknown) / static_cast<double>(measured.tokens);
  const double speed =
      measured.seconds > 0.0 ? static_cast<double>(measured.tokens) / measured.seconds : 0.0;
  PerplexityReport report;
  report.text = mean_text(nll, "token");
  report.json = {{"nll", nll}, {"perplexity", std::exp(nll)}, {"bits", nll / std::numbers::ln2}};
  if (options.words) {
    const double word_nll = measured.word_nll();
    report.text += mean_text(word_nll, "word");
    report.json.update({{"word_nll", word_nll},
                        {"word_perplexity", std::exp(word_nll)},
                        {"words", measured.words}});
  }
  report.text += fmt::format(
      "{} tokens{} in {} blocks of {} lines, {:.2f}% <unk>; {:.0f} tokens a second\n{}\n",
      measured.tokens, options.words ? fmt::format(", {} words", measured.words) : "",
      measured.blocks, measured.lines, 100.0 * unknown, speed, options.signature);
  report.json.update({{"tokens", measured.tokens},
                      {"unknown", measured.unknown},
                      {"dropped", measured.dropped},
                      {"blocks", measured.blocks},
                      {"sentences", measured.lines},
                      {"seconds", measured.seconds},
                      {"tokens_per_second", speed},
                      {"signature", options.signature}});
  return report;
}

}  // namespace ltz::cli
