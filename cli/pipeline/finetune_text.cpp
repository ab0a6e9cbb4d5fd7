#include "cli/pipeline/finetune_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <utility>

#include "cli/pipeline/fingerprint.h"
#include "cli/pipeline/measure_bleu.h"
#include "formats/files/file.h"
#include "formats/records/training_file.h"
#include "model/base/context.h"

namespace ltz::pipeline {
namespace {

EncodedText encoded(const Checkpoint& checkpoint, const eval::ParallelText& text) {
  if (text.source.empty()) {
    return {};
  }
  return eval::encode(TextCodec(checkpoint), text);
}

// Training texts have a few endless lines; they are not worth their time.
EncodedText without_long_sentences(const EncodedText& text, const ModelConfig& config,
                                   std::size_t longest, const Events& events) {
  const auto fits = [&](const TokenIds& sentence, int positions) {
    return sentence.size() <= std::min(longest, static_cast<std::size_t>(positions));
  };
  EncodedText kept;
  for (std::size_t i = 0; i < text.source.size(); ++i) {
    if (fits(text.source[i], config.max_source_positions) &&
        fits(text.target[i], config.max_target_positions)) {
      kept.source.push_back(text.source[i]);
      kept.target.push_back(text.target[i]);
    }
  }
  if (kept.source.size() < text.source.size()) {
    events.say(fmt::format("{} sentences of more than {} tokens are left out",
                           text.source.size() - kept.source.size(), longest));
  }
  return kept;
}

std::string fingerprint_of(const EncodedText& text) {
  std::string ids;
  for (const auto* side : {&text.source, &text.target}) {
    for (const TokenIds& sentence : *side) {
      ids += fmt::format("{}\n", fmt::join(sentence, " "));
    }
  }
  return fingerprint(ids);
}

// What a training depends on.
std::string signature_of(const compress::FinetuneInputs& inputs, const FinetuneTextOptions& all) {
  const compress::FinetuneOptions& options = all.training;
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
      inputs.development.source.empty() ? "none" : fingerprint_of(inputs.development),
      options.epochs, options.minutes, options.batch_tokens, options.learning_rate,
      finetuner.objective.label_smoothing, finetuner.objective.distillation,
      finetuner.tensors.free_codes, finetuner.tensors.codes.rate_weight, options.code_bits, pruning,
      options.seed,
      options.select == compress::Selection::kNll ? "" : " select " + signature(all.evaluation));
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

Checkpoint finetune_text(const FinetuneInputs& inputs, const FinetuneTextOptions& options,
                         const Events& events) {
  const compress::FinetuneOptions& training = options.training;
  const compress::FinetuneInputs encoded_inputs{
      inputs.start, inputs.teacher,
      without_long_sentences(encoded(inputs.start, inputs.text), inputs.start.config,
                             training.batch_tokens, events),
      encoded(inputs.start, inputs.development)};
  Progress progress = events.start("training");
  compress::FinetuneObserver observer;
  observer.progress = [&](const compress::FinetuneProgress& found) {
    progress(static_cast<std::size_t>(found.updates), static_cast<std::size_t>(found.total));
    if (found.development_nll) {
      progress = nullptr;  // the bar goes before the line comes
      events.say(fmt::format("update {} of {}: loss {:.4f}, development {}", found.updates,
                             found.total, found.loss, found_on_development_set(found)));
      progress = events.start("training");
    }
  };
  if (training.select == compress::Selection::kBleu) {
    observer.bleu = [&, codec = TextCodec(inputs.start)](const Transformer& model) {
      return bleu_of(eval::bleu_of_model(model, codec, inputs.development, options.evaluation),
                     options.evaluation);
    };
  }
  compress::FinetuneState resume;
  if (!options.state.empty()) {
    const std::string signature = signature_of(encoded_inputs, options);
    observer.save = [&, signature](const compress::FinetuneState& state) {
      formats::write_file_atomically(options.state, formats::encode_training(state, signature));
    };
    if (std::filesystem::exists(options.state)) {
      resume = in_context(options.state, [&] {
        return formats::read_training(formats::read_file(options.state), inputs.start, signature);
      });
      events.say(fmt::format("going on after update {} of {}", resume.updates, resume.total));
    }
  }
  return compress::finetune(encoded_inputs, training, observer, std::move(resume));
}

}  // namespace ltz::pipeline
