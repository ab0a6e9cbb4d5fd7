#include "cli/options/training_options.h"

#include <fmt/format.h>

#include <string>
#include <tuple>

#include "cli/options/values.h"
#include "formats/records/recipe_toml.h"

namespace ltz::cli {
namespace {

// Every setting beside the place that it overrides.
template <typename Options, typename Training>
auto settings(Options& options, Training& training) {
  auto& objective = training.finetuner.objective;
  return std::tuple(
      std::tie(options.epochs, training.epochs), std::tie(options.minutes, training.minutes),
      std::tie(options.learning_rate, training.learning_rate),
      std::tie(options.batch_tokens, training.batch_tokens),
      std::tie(options.label_smoothing, objective.label_smoothing),
      std::tie(options.distillation, objective.distillation),
      std::tie(options.select, training.select),
      std::tie(options.rate_weight, training.finetuner.tensors.codes.rate_weight),
      std::tie(options.code_bits, training.code_bits), std::tie(options.seed, training.seed));
}

}  // namespace

bool TrainingOptions::given() const {
  const compress::FinetuneOptions none;
  return std::apply([](const auto&... pair) { return (std::get<0>(pair).has_value() || ...); },
                    settings(*this, none));
}

compress::FinetuneOptions TrainingOptions::applied_to(compress::FinetuneOptions training) const {
  const auto apply = [](const auto& pair) {
    const auto& [given, value] = pair;
    value = given.value_or(value);
  };
  std::apply([&](const auto&... pair) { (apply(pair), ...); }, settings(*this, training));
  return training;
}

void add_training(CLI::App& command, TrainingOptions& options) {
  const auto* group = "Training";
  const compress::FinetuneOptions defaults;
  const auto add = [&](const char* name, auto& value, auto otherwise, const char* what) {
    return command.add_option(name, value, what)
        ->default_str(fmt::format("{}", otherwise))
        ->group(group);
  };
  add("--epochs", options.epochs, defaults.epochs, "Passes over the text")->check(above(0));
  add("--minutes", options.minutes, defaults.minutes,
      "Fewer epochs if they would take longer; 0: no limit")
      ->check(at_least(0));
  add("--learning-rate", options.learning_rate, defaults.learning_rate, "Of Adam, at its peak")
      ->check(above(0));
  add("--batch-tokens", options.batch_tokens, defaults.batch_tokens,
      "Target tokens of an update, at most")
      ->check(above(0));
  add("--label-smoothing", options.label_smoothing, defaults.finetuner.objective.label_smoothing,
      "Of the references' probability, so much goes to all tokens")
      ->check(between(0, 1));
  add("--distillation", options.distillation, defaults.finetuner.objective.distillation,
      "Share of the uncompressed model's distributions in what is learned, from 0 to 1")
      ->check(between(0, 1));
  choose(
      command.add_option_function<std::string>(
          "--select",
          [&options](const std::string& name) { options.select = formats::parse_selection(name); },
          "What the best model on the development set has: the lowest NLL or the highest BLEU"),
      {"nll", "bleu"})
      ->default_str("nll")
      ->group(group);
  add("--rate-weight", options.rate_weight, defaults.finetuner.tensors.codes.rate_weight,
      "How much the size of a code counts where codes are free: 0 is not at all")
      ->check(at_least(0));
  add("--code-bits", options.code_bits, defaults.code_bits,
      "Where codes are free, how many bits they have in the end, relative to the start")
      ->check(above(0));
  add("--train-seed", options.seed, defaults.seed, "Of the sentences' order");
}

}  // namespace ltz::cli
