#include "cli/pipeline/trials.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "cli/pipeline/digits.h"
#include "cli/pipeline/measure_bleu.h"
#include "compress/recipes/quality_search.h"
#include "eval/budget/accounting.h"
#include "eval/budget/gates.h"

namespace ltz::pipeline {
namespace {

constexpr int kMostTrials = 6;  // of a search for a quality

// loss: of BLEU, or a growth of NLL.
std::string describe(const Trials& trials, const QualityGoal& goal, double loss) {
  if (trials.language_model()) {
    const double nll = goal.original + loss;
    return fmt::format("perplexity {:.3f}, {:+.2f}%", std::exp(nll),
                       eval::perplexity_increase(goal.original, nll));
  }
  return fmt::format("BLEU {:.2f}, a drop of {:.2f}", goal.original - loss, loss);
}

}  // namespace

Trials::Trials(const Checkpoint& checkpoint, const compress::TunableCompressor& compressor,
               Kind kind, CompressState& state)
    : compressor_(compressor),
      kind_(std::move(kind)),
      state_(state),
      parameters_(static_cast<double>(eval::count_parameters(checkpoint.config).non_embedding)),
      language_model_(is_language_model(checkpoint.config)) {}

TrialRecord* Trials::find(double strength) const {
  const auto found = std::ranges::find_if(state_.trials, [&](const TrialRecord& trial) {
    return trial.method == kind_.method && trial.strength == strength;
  });
  return found == state_.trials.end() ? nullptr : &*found;
}

double Trials::bits_per_weight(double strength) const {
  const TrialRecord* trial = find(strength);
  return trial == nullptr ? 0.0 : 8.0 * static_cast<double>(trial->sizes.model) / parameters_;
}

const Trials::Made& Trials::made(double strength, const Progress& on_stage) {
  auto found = made_.find(strength);
  if (found == made_.end()) {
    Made made{.model = compressor_.compress(strength, on_stage), .file = {}};
    made.file = formats::encode_ltz(made.model, kind_.made);
    found = made_.emplace(strength, std::move(made)).first;
  }
  return found->second;
}

const std::vector<std::byte>& Trials::file(double strength, const Progress& on_stage) {
  return made(strength, on_stage).file;
}

const Checkpoint& Trials::model(double strength, const Progress& on_stage) {
  return made(strength, on_stage).model;
}

formats::LtzSizes Trials::sizes(double strength, const Progress& on_stage) {
  if (const TrialRecord* trial = find(strength)) {
    return trial->sizes;
  }
  const formats::LtzSizes sizes = formats::ltz_sizes(file(strength, on_stage));
  state_.trials.push_back({.method = kind_.method, .strength = strength, .sizes = sizes});
  state_.save();
  return sizes;
}

double Trials::quality(double strength, const eval::ParallelText& text,
                       const eval::EvaluationOptions& options, const Progress& progress) {
  sizes(strength, {});
  const auto known = [&]() -> std::optional<double>& {
    TrialRecord* trial = find(strength);
    return language_model_ ? trial->nll : trial->bleu;
  };
  if (!known()) {
    const Checkpoint& made = model(strength, {});
    known() = language_model_ ? measure_nll(made, text, options)
                              : bleu_of(measure_bleu(made, text, options, progress), options);
    state_.save();
  }
  return *known();
}

double fit_size(Trials& trials, const SizeGoal& goal, const Events& events) {
  const compress::SizeSearchResult found = formats::fitting_strength(
      [&](double strength) {
        const formats::LtzSizes sizes = trials.sizes(strength, events.start("compressing"));
        events.say(fmt::format("{:.2f} bits per weight, {} bytes", trials.bits_per_weight(strength),
                               with_separators(sizes.total)));
        return sizes;
      },
      {.limits = goal.limits,
       .start = goal.start,
       .range = trials.compressor().range(),
       .weights = trials.parameters(),
       .close_enough = goal.close_enough});
  if (!found.fits) {
    events.say("nothing small enough was found; this is the smallest");
  }
  return found.strength;
}

double fit_quality(Trials& trials, const QualityGoal& goal, const Events& events) {
  // A trial is compression and translation, about as long.
  constexpr std::size_t kHalf = 1000;
  std::size_t number = 0;
  const auto measure = [&](double strength) {
    compress::QualityTrial trial{.strength = strength};
    {
      const Progress progress =
          events.start(fmt::format("trial {} of at most {}", number + 1, kMostTrials));
      const auto half = [&progress, number](std::size_t which) {
        return [&progress, before = 2 * number + which](std::size_t done, std::size_t total) {
          progress(kHalf * before + kHalf * done / total, 2 * kHalf * kMostTrials);
        };
      };
      trial.bytes = static_cast<double>(trials.sizes(strength, half(0)).total);
      const double found = trials.quality(strength, goal.text, goal.evaluation, half(1));
      trial.loss = trials.language_model() ? found - goal.original : goal.original - found;
    }
    ++number;
    events.say(fmt::format(
        "trial {}: {:.2f} bits per weight, {} bytes, {}", number, trials.bits_per_weight(strength),
        with_separators(static_cast<long long>(trial.bytes)), describe(trials, goal, trial.loss)));
    return trial;
  };
  const compress::QualityTrial best =
      compress::quality_search(measure, {.most_loss = goal.most_loss,
                                         .start = goal.start,
                                         .range = trials.compressor().range(),
                                         .most_trials = kMostTrials});
  if (best.loss > goal.most_loss) {
    events.say("no trial was good enough; this is the best");
  }
  return best.strength;
}

}  // namespace ltz::pipeline
