#include "cli/pipeline/compress.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cli/pipeline/digits.h"
#include "cli/pipeline/finetune_text.h"
#include "cli/pipeline/fingerprint.h"
#include "cli/pipeline/measure_bleu.h"
#include "cli/pipeline/measure_sensitivity.h"
#include "cli/pipeline/size_targets.h"
#include "cli/pipeline/training_text.h"
#include "compress/sensitivity/pattern.h"
#include "eval/budget/accounting.h"
#include "formats/records/sensitivity_csv.h"
#include "model/base/error.h"

namespace ltz::pipeline {
namespace {

// Sparsity of the model that sensitivity is measured in: about what the paper's recipe ends with.
constexpr double kContextSparsity = 0.4;

std::string fingerprint_of(const std::optional<compress::SensitivityCurves>& curves) {
  std::string lines;
  if (curves) {
    for (const compress::SensitivityPoint& point : curves->points) {
      lines += formats::sensitivity_line(point);
    }
  }
  return "curves " + fingerprint(lines);
}

std::string describe(const std::vector<compress::RetrainingStage>& stages) {
  std::string text;
  for (const compress::RetrainingStage& stage : stages) {
    text += fmt::format("{}{} for {:.3g} epoch{}", text.empty() ? "" : ", then ", stage.what,
                        stage.options.epochs, stage.options.epochs == 1.0 ? "" : "s");
    if (stage.options.minutes > 0.0) {
      text += fmt::format(" or {:.3g} minutes", stage.options.minutes);
    }
  }
  return text;
}

std::string text_id(const std::vector<std::string>& lines) {
  return fmt::format("{} lines, {}", lines.size(), fingerprint({lines, {}}));
}

// What a model reads of a text first: a language model has no sources.
const std::vector<std::string>& lines_of(const ModelConfig& config,
                                         const eval::ParallelText& text) {
  return is_language_model(config) ? text.reference : text.source;
}

// What the files of this compression depend on, but for the limits that decide how strong it is.
Trials::Kind kind_of(const CompressInputs& inputs, const CompressOptions& options) {
  const compress::Recipe& recipe = options.recipe;
  const bool is_preset = options.recipe_text.empty();
  const ModelConfig& config = inputs.checkpoint.config;
  Trials::Kind kind{
      .method = is_preset ? "preset " + recipe.name : "recipe " + fingerprint(options.recipe_text),
      .made = made_by_ltz()};
  const auto say = [&kind](const char* name, std::string value) {
    kind.made.emplace_back(name, std::move(value));
  };
  say(is_preset ? "preset" : "recipe", is_preset ? recipe.name : options.recipe_text);
  say("model", fingerprint(inputs.checkpoint));
  if (const compress::PruningMethod* method = recipe.pruning()) {
    say("seed", fmt::format("{}", method->seed));
    if (inputs.development) {
      say("sensitivity", text_id(lines_of(config, *inputs.development)));
    }
  } else {
    const char* otherwise = is_language_model(config) ? "sentences of the model's own" : "none";
    say("calibration", inputs.calibration.empty() ? otherwise : text_id(inputs.calibration));
  }
  if (recipe.finetune) {
    const compress::FinetuneOptions& training = *recipe.finetune;
    say("training", fmt::format("{}; epochs {:g}, learning rate {:g}, seed {}",
                                text_id(lines_of(config, inputs.training)), training.epochs,
                                training.learning_rate, training.seed));
  }
  return kind;
}

}  // namespace

std::map<std::string, std::string> measured_on(const CompressInputs& inputs,
                                               const CompressOptions& options) {
  const Checkpoint& checkpoint = inputs.checkpoint;
  return {{"model", fingerprint(checkpoint)},
          {"vocabulary", vocabulary_fingerprint(checkpoint)},
          {"development set", inputs.development ? fingerprint(*inputs.development) : "none"},
          {"score", signature(options.evaluation)},
          {"calibration text", fingerprint({inputs.calibration, {}})},
          {"calibration sentences", std::to_string(options.calibration.sentences)}};
}

Compression::Compression(const CompressInputs& inputs, const CompressOptions& options,
                         CompressState& state, const Events& events)
    : inputs_(inputs),
      options_(options),
      state_(state),
      events_(events),
      kind_(kind_of(inputs, options)),
      forecast_(inputs.checkpoint, kind_.made) {
  const compress::Recipe& recipe = options.recipe;
  const Checkpoint& checkpoint = inputs.checkpoint;
  choose_compressor();
  if (!inputs.training.source.empty()) {
    training_ = with_references(inputs.training, checkpoint, state, events);
  }
  own_target_ =
      own_target(recipe, checkpoint.config, options.baseline_parameters, *compressor_, forecast_);
  limits_ = limits_of(options.limits, checkpoint.config, options.baseline_parameters);
  limits_.model = std::min(limits_.model, own_target_.value_or(limits_.model));
  start_ = forecast_.strength(*compressor_, limits_);
  plan_ = compressor_->forecast(start_);
  if (recipe.finetune) {
    events.say("retraining: " + describe(compress::retraining_stages(recipe)));
  }
}

Compression::~Compression() = default;

void Compression::choose_compressor() {
  const compress::Recipe& recipe = options_.recipe;
  // What trains between the steps depends on the way to compress.
  const auto take = [&](auto compressor) {
    compress_and_retrain_ =
        [&recipe, compressor = compressor.get()](const compress::RetrainingSteps& steps) {
          return compress::compress_and_retrain(*compressor, recipe, steps);
        };
    compressor_ = std::move(compressor);
  };
  if (recipe.calibrated() != nullptr) {
    calibration_ =
        calibrate(inputs_.checkpoint, inputs_.calibration, options_.calibration, state_, events_);
    take(std::make_unique<compress::TunableCalibrated>(inputs_.checkpoint, calibration_, recipe));
    return;
  }
  curves_ = measure_curves();
  kind_.method += ", " + fingerprint_of(curves_);
  close_enough_ = 0.001;  // files are made fast
  take(std::make_unique<compress::TunablePlanner>(
      inputs_.checkpoint, curves_ ? &*curves_ : nullptr, recipe,
      static_cast<double>(eval::fp32_bytes(options_.baseline_parameters))));
}

std::optional<compress::SensitivityCurves> Compression::measure_curves() const {
  const compress::PruningMethod& method = compress::pruning_method(options_.recipe);
  if (!method.prune || !inputs_.development) {
    return std::nullopt;
  }
  SensitivityRun run;
  run.options.sparsities = options_.curves.sparsities;
  run.options.bits.clear();
  run.options.context = kContextSparsity;
  run.options.groups = compress::sensitivity_groups(parameter_specs(inputs_.checkpoint.config));
  if (!method.prune_embeddings) {
    std::erase_if(run.options.groups,
                  [](const std::string& group) { return !compress::in_layers(group); });
  }
  run.file = options_.curves.file;
  const eval::ParallelText sample = eval::sample(*inputs_.development, options_.curves.sentences);
  events_.say(fmt::format("measuring sensitivity on {} sentences", sample.source.size()));
  return measure_sensitivity(inputs_.checkpoint, sample, run, events_);
}

Quality Compression::original_quality() {
  if (!inputs_.development) {
    return {};
  }
  if (language_model()) {
    if (!state_.reference_nll) {
      state_.reference_nll =
          measure_nll(inputs_.checkpoint, *inputs_.development, options_.evaluation);
      state_.save();
    }
    return {.bleu = {}, .nll = state_.reference_nll};
  }
  const std::size_t sentences = inputs_.development->source.size();
  if (state_.reference.empty()) {
    state_.reference = measure_bleu(inputs_.checkpoint, *inputs_.development, options_.evaluation,
                                    events_.start("translating with the reference"));
    state_.save();
  } else if (state_.reference.size() != sentences) {
    throw FormatError(fmt::format("{}: expected BLEU of {} sentences, found {}", state_.path(),
                                  sentences, state_.reference.size()));
  }
  return {.bleu = state_.reference, .nll = {}};
}

// Nothing milder than what sizes ask for can pass, so then quality is only looked at.
bool Compression::by_quality() const {
  const bool wanted = language_model() ? options_.limits.on_likelihood()
                                       : options_.limits.max_bleu_drop.has_value();
  return wanted &&
         !limits_of(options_.limits, inputs_.checkpoint.config, options_.baseline_parameters).any();
}

double Compression::search_quality(Trials& trials) {
  const eval::GateLimits& gates = options_.limits;
  const Quality original = original_quality();
  QualityGoal goal{
      .text = *inputs_.development, .evaluation = options_.evaluation, .start = start_};
  if (language_model()) {
    goal.original = *original.nll;
    goal.most_loss = *gates.nll_increase();
  } else {
    goal.original = bleu_of(original.bleu, options_.evaluation);
    goal.most_loss = std::min(*gates.max_bleu_drop, goal.original - gates.min_bleu.value_or(0.0));
  }
  return fit_quality(trials, goal, events_);
}

double Compression::search_size(Trials& trials, const formats::SizeLimits& limits,
                                double start) const {
  const double strength =
      fit_size(trials, {.limits = limits, .start = start, .close_enough = close_enough_}, events_);
  if (own_target_ && static_cast<double>(trials.sizes(strength, {}).model) > *own_target_) {
    if (options_.recipe.target_yields) {
      events_.say(
          fmt::format("the {} bits per weight of the preset are out of reach for so small a "
                      "model",
                      options_.recipe.bits_per_weight.value_or(0.0)));
      return strength;
    }
    throw ConfigError(
        fmt::format("recipe {}: no model of at most {:.0f} bytes without embeddings was found",
                    options_.recipe.name, *own_target_));
  }
  return strength;
}

std::vector<std::byte> Compression::retrain() {
  const Checkpoint& original = inputs_.checkpoint;
  const eval::ParallelText development = inputs_.development.value_or(eval::ParallelText{});
  Trials::Kind kind = kind_;
  compress::RetrainingSteps steps;
  steps.train = [&](const Checkpoint& start, const compress::RetrainingStage& stage) {
    events_.say("retraining the " + stage.what);
    Checkpoint trained = finetune_text(
        {.start = start, .teacher = &original, .text = training_, .development = development},
        {.training = stage.options,
         .evaluation = options_.evaluation,
         .state = training_file(state_.path(), stage.number)},
        events_);
    kind.method = kind_.method + ", retrained " + fingerprint(trained);
    return trained;
  };
  steps.fit = [&](const compress::TunableCompressor& compressor) {
    const formats::SizeLimits before = limits_before_training(forecast_, compressor, limits_);
    Trials trials(original, compressor, kind, state_);
    const double strength = search_size(trials, before, forecast_.strength(compressor, before));
    return trials.model(strength, events_.start("compressing"));
  };
  std::vector<std::byte> bytes = formats::encode_ltz(compress_and_retrain_(steps), kind_.made);
  const formats::LtzSizes sizes = formats::ltz_sizes(bytes);
  const auto weights = static_cast<double>(eval::count_parameters(original.config).non_embedding);
  events_.say(fmt::format("retrained: {:.2f} bits per weight, {} bytes",
                          8.0 * static_cast<double>(sizes.model) / weights,
                          with_separators(sizes.total)));
  if (static_cast<double>(sizes.model) > limits_.model ||
      static_cast<double>(sizes.total) > limits_.file) {
    events_.say("training has made it larger than it should be");
  }
  return bytes;
}

std::vector<std::byte> Compression::run() {
  events_.say(fmt::format("compressing by the recipe \"{}\"", options_.recipe.name));
  if (options_.recipe.finetune) {
    return retrain();
  }
  Trials trials(inputs_.checkpoint, *compressor_, kind_, state_);
  const double strength =
      by_quality() ? search_quality(trials) : search_size(trials, limits_, start_);
  return trials.file(strength, events_.start("compressing"));
}

std::vector<std::byte> compress_model(const CompressInputs& inputs, const CompressOptions& options,
                                      const Events& events) {
  CompressState state("", {});
  return Compression(inputs, options, state, events).run();
}

std::string training_file(const std::string& state, int stage) {
  return state.empty() ? "" : fmt::format("{}.training{}", state, stage);
}

}  // namespace ltz::pipeline
