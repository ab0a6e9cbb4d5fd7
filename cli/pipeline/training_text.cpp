#include "cli/pipeline/training_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <span>
#include <utility>

#include "cli/pipeline/finetune_text.h"
#include "cli/pipeline/fingerprint.h"
#include "cli/terminal/line_reader.h"
#include "cli/terminal/terminal.h"
#include "model/base/error.h"
#include "model/decoding/text_codec.h"
#include "model/decoding/translator.h"

namespace ltz::cli {
namespace {

// Between two writings of the state.
constexpr std::size_t kLinesAtOnce = 2000;

std::string fingerprint_of(const std::vector<std::string>& lines) {
  return fingerprint(eval::ParallelText{.source = lines, .reference = {}});
}

// Empty for what is too long to be read: nothing is trained on it.
std::vector<std::string> translated(const Transformer& model, const TextCodec& codec,
                                    std::span<const std::string> lines,
                                    const SentenceProgress& progress) {
  const auto longest = static_cast<std::size_t>(model.config().max_source_positions);
  std::vector<TokenIds> sources;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    TokenIds source = codec.encode_source(lines[i]);
    if (source.size() <= longest) {
      sources.push_back(std::move(source));
      places.push_back(i);
    }
  }
  const auto translations =
      translate(model, sources, {.beam = 1}, batch_by_length(sources), progress);
  std::vector<std::string> targets(lines.size());
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (!translations[i].empty()) {
      targets[places[i]] = codec.decode_target(translations[i].front().tokens);
    }
  }
  return targets;
}

void translate_all(const std::vector<std::string>& lines, const Checkpoint& checkpoint,
                   CompressState& state) {
  const std::string text = fingerprint_of(lines);
  if (state.training_text != text) {
    state.training_text = text;
    state.training_targets.clear();
  }
  std::vector<std::string>& targets = state.training_targets;
  if (targets.size() > lines.size()) {
    throw FormatError(fmt::format("{}: expected translations of {} sentences, found {}",
                                  state.path(), lines.size(), targets.size()));
  }
  if (targets.size() == lines.size()) {
    return;
  }
  say(fmt::format("translating {} sentences to train on", lines.size() - targets.size()));
  const Transformer model(checkpoint);
  const TextCodec codec(checkpoint);
  Progress progress("translating");
  while (targets.size() < lines.size()) {
    const std::size_t begin = targets.size();
    const std::size_t count = std::min(kLinesAtOnce, lines.size() - begin);
    std::vector<std::string> more = translated(
        model, codec, std::span(lines).subspan(begin, count),
        [&](std::size_t done, std::size_t) { progress.update(begin + done, lines.size()); });
    std::ranges::move(more, std::back_inserter(targets));
    state.save();
  }
}

}  // namespace

compress::Recipe RetrainingOptions::applied_to(compress::Recipe recipe) {
  const auto given = [](const CLI::Option* option) { return option->count() > 0; };
  if (wanted && !recipe.finetune) {
    recipe.finetune = compress::default_finetune(recipe);
  }
  if (!recipe.finetune) {
    if (!source.empty() || std::ranges::any_of(overrides, given)) {
      throw CLI::RequiredError("--finetune, or a recipe with [finetune],");
    }
    return recipe;
  }
  training = *recipe.finetune;
  for (CLI::Option* option : overrides) {
    if (given(option)) {
      option->run_callback();
    }
  }
  recipe.finetune = training;
  compress::validate(recipe);
  return recipe;
}

eval::ParallelText RetrainingOptions::read() const {
  if (!reference.empty()) {
    return TextOptions{.source = source, .reference = reference}.read();
  }
  eval::ParallelText text{.source = read_lines(source), .reference = {}};
  if (text.source.empty()) {
    throw ConfigError(source + ": the text is empty");
  }
  return text;
}

void add_retraining(CLI::App& command, RetrainingOptions& options) {
  const auto* group = "Training";
  command
      .add_flag("--finetune", options.wanted,
                "Train between the steps and behind them; the uncompressed model is the teacher")
      ->group(group);
  auto* source = command.add_option("--train-src", options.source,
                                    "Source text to train on, also the default of --calibration");
  source->group(group);
  command
      .add_option("--train-ref", options.reference,
                  "Its references; default: what the uncompressed model makes of it")
      ->needs(source)
      ->group(group);
  const std::vector<CLI::Option*> before = command.get_options();
  add_training(command, options.training);
  options.overrides = command.get_options();
  options.overrides.erase(options.overrides.begin(),
                          options.overrides.begin() + static_cast<std::ptrdiff_t>(before.size()));
}

eval::ParallelText with_references(eval::ParallelText text, const Checkpoint& model,
                                   CompressState& state) {
  if (text.reference.empty()) {
    translate_all(text.source, model, state);
    text.reference = state.training_targets;
  }
  return text;
}

void say_stages(const std::vector<compress::RetrainingStage>& stages) {
  std::string text;
  for (const compress::RetrainingStage& stage : stages) {
    text += fmt::format("{}{} for {:.3g} epoch{}", text.empty() ? "" : ", then ", stage.what,
                        stage.options.epochs, stage.options.epochs == 1.0 ? "" : "s");
    if (stage.options.minutes > 0.0) {
      text += fmt::format(" or {:.3g} minutes", stage.options.minutes);
    }
  }
  say("retraining: " + text);
}

std::string training_file(const std::string& state, int stage) {
  return state.empty() ? "" : fmt::format("{}.training{}", state, stage);
}

}  // namespace ltz::cli
