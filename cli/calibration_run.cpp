#include "cli/calibration_run.h"

#include <fmt/format.h>

#include <map>
#include <utility>

#include "cli/terminal.h"
#include "eval/divergence.h"
#include "eval/evaluate.h"
#include "model/error.h"
#include "model/translator.h"

namespace ltz::cli {
namespace {

compress::CalibrationText translated(const Checkpoint& checkpoint, const Transformer& model,
                                     const std::vector<std::string>& lines, std::size_t sentences) {
  const TextCodec codec(checkpoint);
  compress::CalibrationText text;
  for (const std::size_t line : eval::evenly_spaced(lines.size(), sentences)) {
    text.sources.push_back(codec.encode_source(lines[line]));
  }
  say(fmt::format("translating {} sentences to calibrate on", text.sources.size()));
  Progress progress("translating");
  const auto translations =
      translate(model, text.sources, {}, batch_by_length(text.sources),
                [&](std::size_t done, std::size_t total) { progress.update(done, total); });
  for (const auto& hypotheses : translations) {
    text.targets.push_back(hypotheses.empty() ? TokenIds{Vocabulary::kEos}
                                              : hypotheses.front().tokens);
  }
  return text;
}

std::map<std::string, double> measure(const Checkpoint& checkpoint, Transformer& model,
                                      const compress::Calibration& calibration,
                                      std::size_t sentences) {
  std::vector<TokenIds> sources;
  std::vector<TokenIds> targets;
  for (const std::size_t i : eval::evenly_spaced(calibration.text.sources.size(), sentences)) {
    sources.push_back(calibration.text.sources[i]);
    targets.push_back(calibration.text.targets[i]);
  }
  say(fmt::format("measuring sensitivity on {} sentences", sources.size()));
  const eval::Divergence divergence(model, std::move(sources), std::move(targets));
  Progress progress("sensitivity");
  return compress::noise_sensitivity(
      checkpoint, calibration.moments, calibration.row_weights,
      [&](const compress::Replacements& replacements) {
        return compress::measure_replaced(model, checkpoint, replacements,
                                          [&] { return divergence.of(model); });
      },
      {}, [&](std::size_t done, std::size_t total) { progress.update(done, total); });
}

}  // namespace

void add_calibration(CLI::App& command, CalibrationOptions& options) {
  const auto* group = "Calibration (balanced, max)";
  command
      .add_option("--calibration", options.file,
                  "Source text to calibrate on, like the training text; default: --src")
      ->group(group);
  command
      .add_option("--calibration-sentences", options.sentences,
                  "So many of its sentences, evenly spread")
      ->check(CLI::PositiveNumber)
      ->group(group);
}

compress::Calibration calibrate(const Checkpoint& checkpoint, const CalibrationOptions& options,
                                const std::vector<std::string>& development) {
  const std::vector<std::string> lines =
      options.file.empty() ? development : read_lines(options.file);
  if (lines.empty() && !options.file.empty()) {
    throw ConfigError(options.file + ": the text is empty");
  }
  compress::Calibration calibration;
  Transformer model(checkpoint);
  if (lines.empty()) {
    say("no text to calibrate on (--calibration, --src): all inputs are taken to be alike");
  } else {
    calibration.text = translated(checkpoint, model, lines, options.sentences);
  }
  calibration.row_weights = compress::table_row_weights(checkpoint, calibration.text);
  calibration.moments = compress::all_moments(checkpoint, calibration.text);
  if (lines.empty()) {
    for (const auto& [name, moments] : calibration.moments) {
      calibration.sensitivities[name] = 1.0;
    }
  } else {
    calibration.sensitivities = measure(checkpoint, model, calibration, options.sensitivity);
  }
  return calibration;
}

}  // namespace ltz::cli
