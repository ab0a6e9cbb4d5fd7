#include "cli/pipeline/finetune_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>
#include <utility>

#include "cli/pipeline/fingerprint.h"
#include "cli/terminal/terminal.h"
#include "formats/files/file.h"
#include "formats/records/recipe_toml.h"
#include "formats/records/training_file.h"
#include "model/base/context.h"

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

std::string fingerprint_of(const compress::CalibrationText& text) {
  std::string ids;
  for (const auto* side : {&text.sources, &text.targets}) {
    for (const TokenIds& sentence : *side) {
      ids += fmt::format("{}\n", fmt::join(sentence, " "));
    }
  }
  return fingerprint(ids);
}

// What a training depends on, besides options.
struct TrainingInputs {
  const Checkpoint& start;
  const Checkpoint* original;
  compress::CalibrationText text;
  compress::CalibrationText development;
};

std::string signature_of(const TrainingInputs& inputs, const compress::FinetuneOptions& options,
                         const eval::EvaluationOptions& evaluation) {
  const compress::FinetunerOptions& finetuner = options.finetuner;
  std::string pruning = fmt::format("{}", options.pruning.sparsity.value_or(0.0));
  for (const auto& [name, sparsity] : options.pruning.tensors) {
    pruning += fmt::format(", {} {}", name, sparsity);
  }
  return fmt::format(
      "model {} teacher {} text {} development set {} epochs {} minutes {} tokens {} rate {} "
      "smoothing {} distillation {} free codes {} rate weight {} code bits {} sparsity {} seed "
      "{}{}",
      fingerprint(inputs.start),
      inputs.original == nullptr ? "none" : fingerprint(*inputs.original),
      fingerprint_of(inputs.text),
      inputs.development.sources.empty() ? "none" : fingerprint_of(inputs.development),
      options.epochs, options.minutes, options.batch_tokens, options.learning_rate,
      finetuner.objective.label_smoothing, finetuner.objective.distillation,
      finetuner.tensors.free_codes, finetuner.tensors.codes.rate_weight, options.code_bits, pruning,
      options.seed,
      options.select == compress::Selection::kNll
          ? ""
          : " select " + eval::signature(evaluation, LTZ_VERSION));
}

std::string found_on_development_set(const compress::FinetuneProgress& progress) {
  const std::string best = std::isfinite(progress.best_nll)
                               ? fmt::format("best {:.4f}", progress.best_nll)
                               : "has yet to become smaller";
  std::string found = fmt::format("NLL {:.4f} ({})", *progress.development_nll, best);
  if (progress.bleu) {
    found += fmt::format(", BLEU {:.2f}", *progress.bleu);
  }
  if (progress.best_bleu) {
    found += fmt::format(" (best {:.2f})", *progress.best_bleu);
  }
  return found;
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
  command
      .add_option_function<std::string>(
          "--select",
          [&options](const std::string& name) { options.select = formats::parse_selection(name); },
          "What the best model on the development set has: the lowest NLL or the highest BLEU")
      ->type_name("nll|bleu")
      ->check(CLI::IsMember({"nll", "bleu"}))
      ->default_str("nll")
      ->group(group);
  add("--rate-weight", options.finetuner.tensors.codes.rate_weight,
      "How much the size of a code counts where codes are free: 0 is not at all")
      ->check(CLI::NonNegativeNumber);
  add("--code-bits", options.code_bits,
      "Where codes are free, how many bits they have in the end, relative to the start")
      ->check(CLI::PositiveNumber);
  add("--train-seed", options.seed, "Of the sentences' order");
}

Checkpoint run_finetune(const Checkpoint& start, const Checkpoint* original,
                        const eval::ParallelText& text, const eval::ParallelText& development,
                        const compress::FinetuneOptions& options, const std::string& state,
                        const eval::EvaluationOptions& evaluation) {
  const TrainingInputs inputs{
      start, original,
      without_long_sentences(encoded(start, text), start.config, options.batch_tokens),
      encoded(start, development)};
  std::optional<Progress> bar(std::in_place, "training");
  compress::FinetuneObserver observer;
  observer.progress = [&](const compress::FinetuneProgress& progress) {
    bar->update(static_cast<std::size_t>(progress.updates),
                static_cast<std::size_t>(progress.total));
    if (progress.development_nll) {
      bar.emplace("training");
      say(fmt::format("update {} of {}: loss {:.4f}, development {}", progress.updates,
                      progress.total, progress.loss, found_on_development_set(progress)));
    }
  };
  if (options.select == compress::Selection::kBleu) {
    observer.bleu = [&, codec = TextCodec(start)](const Transformer& model) {
      return eval::evaluate(model, codec, development, evaluation).bleu.score;
    };
  }
  const std::string signature = state.empty() ? "" : signature_of(inputs, options, evaluation);
  compress::FinetuneState resume;
  if (!state.empty()) {
    observer.save = [&](const compress::FinetuneState& training) {
      formats::write_file_atomically(state, formats::encode_training(training, start, signature));
    };
    if (std::filesystem::exists(state)) {
      resume = in_context(state, [&] {
        return formats::read_training(formats::read_file(state), start, signature);
      });
      say(fmt::format("going on after update {} of {}", resume.updates, resume.total));
    }
  }
  return compress::finetune(start, original, inputs.text, inputs.development, options, observer,
                            std::move(resume));
}

}  // namespace ltz::cli
