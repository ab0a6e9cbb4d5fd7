#include "cli/finetune_run.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "cli/terminal.h"
#include "eval/evaluate.h"
#include "model/error.h"

namespace ltz::cli {
namespace {

compress::CalibrationText encoded(const Checkpoint& checkpoint, const eval::ParallelText& text) {
  if (text.source.empty()) {
    return {};
  }
  eval::EncodedText ids = eval::encode(TextCodec(checkpoint), text);
  return {std::move(ids.source), std::move(ids.target)};
}

// Training texts have a few endless lines; they are not worth their time.
compress::CalibrationText without_long_sentences(const compress::CalibrationText& text,
                                                 const ModelConfig& config, std::size_t longest) {
  const auto fits = [&](const TokenIds& sentence, int positions) {
    return sentence.size() <= std::min(longest, static_cast<std::size_t>(positions));
  };
  compress::CalibrationText kept;
  for (std::size_t i = 0; i < text.sources.size(); ++i) {
    if (fits(text.sources[i], config.max_source_positions) &&
        fits(text.targets[i], config.max_target_positions)) {
      kept.sources.push_back(text.sources[i]);
      kept.targets.push_back(text.targets[i]);
    }
  }
  if (kept.sources.size() < text.sources.size()) {
    say(fmt::format("{} sentences of more than {} tokens are left out",
                    text.sources.size() - kept.sources.size(), longest));
  }
  return kept;
}

}  // namespace

void add_training(CLI::App& command, compress::FinetuneOptions& options) {
  const auto* group = "Training";
  const auto add = [&](const char* name, auto& value, const char* what) {
    return command.add_option(name, value, what)->group(group);
  };
  add("--epochs", options.epochs, "Passes over the text")->check(CLI::PositiveNumber);
  add("--minutes", options.minutes, "Fewer epochs if they would take longer; 0: no limit")
      ->check(CLI::NonNegativeNumber);
  add("--learning-rate", options.learning_rate, "Of Adam, at its peak")->check(CLI::PositiveNumber);
  add("--batch-tokens", options.batch_tokens, "Target tokens of an update, at most")
      ->check(CLI::PositiveNumber);
  add("--label-smoothing", options.finetuner.objective.label_smoothing,
      "Of the references' probability, so much goes to all tokens")
      ->check(CLI::Range(0.0, 1.0));
  add("--distillation", options.finetuner.objective.distillation,
      "Share of the uncompressed model's distributions in what is learned, from 0 to 1")
      ->check(CLI::Range(0.0, 1.0));
  add("--train-seed", options.seed, "Of the sentences' order");
}

Checkpoint run_finetune(const Checkpoint& start, const Checkpoint* original,
                        const eval::ParallelText& text, const eval::ParallelText& development,
                        const compress::FinetuneOptions& options, const std::string& /*state*/) {
  const compress::CalibrationText train =
      without_long_sentences(encoded(start, text), start.config, options.batch_tokens);
  const compress::CalibrationText held_out = encoded(start, development);
  std::optional<Progress> bar(std::in_place, "training");
  compress::FinetuneObserver observer;
  observer.progress = [&](const compress::FinetuneProgress& progress) {
    bar->update(static_cast<std::size_t>(progress.updates),
                static_cast<std::size_t>(progress.total));
    if (progress.development_nll) {
      bar.emplace("training");
      say(fmt::format("update {} of {}: loss {:.4f}, development NLL {:.4f} (best {:.4f})",
                      progress.updates, progress.total, progress.loss, *progress.development_nll,
                      progress.best_nll));
    }
  };
  return compress::finetune(start, original, train, held_out, options, observer);
}

}  // namespace ltz::cli
