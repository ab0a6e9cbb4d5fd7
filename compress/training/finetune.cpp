#include "compress/training/finetune.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "compress/training/training_batches.h"
#include "model/base/error.h"
#include "model/decoding/batching.h"
#include "model/decoding/translator.h"

namespace ltz::compress {
namespace {

using Clock = std::chrono::steady_clock;

// Updates after which their speed is known.
constexpr std::int64_t kTimedUpdates = 5;
// Share of the loss before in the smoothed loss that is shown.
constexpr double kOldLoss = 0.95;

// Fractions of the updates after which targets are reached.
constexpr double kCodeBitsReached = 0.5;
constexpr double kPruned = 0.6;
// Between two corrections of what is held at a target: often in a training of few updates, else so
// that they take little of the time.
constexpr std::int64_t kCorrections = 50;
constexpr std::int64_t kMostUpdatesBetween = 10;

double minutes_since(Clock::time_point start) {
  return std::chrono::duration<double, std::ratio<60>>(Clock::now() - start).count();
}

double nll_of(const Transformer& model, const EncodedText& text) {
  return score_text(model, text.source, text.target, batch_by_length(text.source)).mean();
}

// What is found on the development set.
struct Evaluation {
  double nll;
  std::optional<double> bleu;
};

// The loop, with what it remembers from one update to the next.
class Training {
 public:
  Training(const FinetuneInputs& inputs, const FinetuneOptions& options,
           const FinetuneObserver& observer, FinetuneState resume)
      : start_(inputs.start),
        text_(inputs.text),
        development_(inputs.development),
        options_(options),
        observer_(observer),
        finetuner_(inputs.start, inputs.original, options.finetuner),
        pruning_(inputs.start, options.pruning),
        state_(std::move(resume)) {
    if (text_.target.empty() || text_.source.size() != text_.target.size()) {
      throw ConfigError("expected a text to train on with as many targets as sources, found " +
                        std::to_string(text_.source.size()) + " and " +
                        std::to_string(text_.target.size()));
    }
    if (options.select == Selection::kBleu && (development_.source.empty() || !observer.bleu)) {
      throw ConfigError("the model of the highest BLEU is asked for without a development set");
    }
    if (!(options.code_bits > 0.0)) {
      throw ConfigError("codes are to take " + std::to_string(options.code_bits) +
                        " of their bits, expected more than 0");
    }
    enter_epoch(0);
    if (state_.total == 0) {
      state_.total = std::max<std::int64_t>(
          1, std::llround(options.epochs * static_cast<double>(batches_.size())));
      if (!development_.source.empty()) {
        state_.best_nll = std::numeric_limits<double>::infinity();
        if (settled()) {
          takes_the_lead(look_at_development_set());
        }
      }
    } else {
      finetuner_.restore(state_.tensors);
    }
    every_ = std::max<std::int64_t>(
        1, std::llround(static_cast<double>(batches_.size()) / options.evaluations));
  }

  Checkpoint run() {
    const auto begin = Clock::now();
    const std::int64_t first = state_.updates;
    while (state_.updates < state_.total && state_.evaluations_without_gain < options_.patience) {
      update();
      if (options_.minutes > 0.0 && state_.updates == first + kTimedUpdates) {
        const double each = minutes_since(begin) / static_cast<double>(kTimedUpdates);
        const auto affordable = first + static_cast<std::int64_t>(options_.minutes / each);
        // One more at least, which ends as all trainings do.
        state_.total = std::min(std::max(affordable, state_.updates + 1), state_.total);
      }
    }
    return best();
  }

 private:
  void enter_epoch(std::int64_t epoch) {
    first_of_epoch_ += static_cast<std::int64_t>(batches_.size());
    epoch_ = epoch;
    batches_ = training_batches(text_, options_.batch_tokens, options_.seed, epoch);
  }

  const std::vector<std::size_t>& next_batch() {
    while (state_.updates >= first_of_epoch_ + static_cast<std::int64_t>(batches_.size())) {
      enter_epoch(epoch_ + 1);
    }
    return batches_[static_cast<std::size_t>(state_.updates - first_of_epoch_)];
  }

  void update() {
    const auto total = static_cast<double>(state_.total);
    const Schedule schedule{.peak = options_.learning_rate,
                            .warm_up = static_cast<std::int64_t>(options_.warm_up * total),
                            .total = state_.total,
                            .floor = options_.floor};
    const TrainingLoss loss =
        finetuner_.update(text_, next_batch(), learning_rate(schedule, state_.updates));
    const double mean = loss.objective / static_cast<double>(loss.reference.tokens);
    loss_ = loss_ ? kOldLoss * *loss_ + (1.0 - kOldLoss) * mean : mean;
    ++state_.updates;
    FinetuneProgress progress{.updates = state_.updates, .total = state_.total, .loss = *loss_};
    const bool evaluates = state_.updates % every_ == 0 || state_.updates == state_.total;
    if (evaluates || state_.updates % between_corrections() == 0) {
      correct();
    }
    if (evaluates) {
      if (const auto found = evaluate()) {
        progress.development_nll = found->nll;
        progress.bleu = found->bleu;
      }
    }
    progress.best_nll = state_.best_nll;
    progress.best_bleu = state_.best_bleu;
    if (observer_.progress) {
      observer_.progress(progress);
    }
  }

  double done() const {
    return static_cast<double>(state_.updates) / static_cast<double>(state_.total);
  }

  std::int64_t between_corrections() const {
    return std::clamp<std::int64_t>(state_.total / kCorrections, 1, kMostUpdatesBetween);
  }

  void correct() {
    finetuner_.prune(pruning_.at(std::min(1.0, done() / kPruned)));
    const double reached = std::min(1.0, done() / kCodeBitsReached);
    finetuner_.hold_code_bits(1.0 + reached * (options_.code_bits - 1.0));
  }

  // Whether the model is as small as it is to be.
  bool settled() const {
    return (options_.code_bits == 1.0 || done() >= kCodeBitsReached) &&
           (pruning_.empty() || done() >= kPruned);
  }

  Evaluation look_at_development_set() const {
    const Transformer& model = finetuner_.model();
    Evaluation found{.nll = nll_of(model, development_), .bleu = {}};
    if (options_.select == Selection::kBleu) {
      found.bleu = observer_.bleu(model);
    }
    return found;
  }

  // Whether a model is the best one so far.
  bool takes_the_lead(const Evaluation& found) {
    const bool lower_nll = found.nll < state_.best_nll;
    state_.best_nll = std::min(found.nll, state_.best_nll);
    const bool higher_bleu = found.bleu && (!state_.best_bleu || *found.bleu > *state_.best_bleu);
    if (higher_bleu) {
      state_.best_bleu = found.bleu;
    }
    state_.evaluations_without_gain =
        lower_nll || higher_bleu ? 0 : state_.evaluations_without_gain + 1;
    return found.bleu ? higher_bleu : lower_nll;
  }

  std::optional<Evaluation> evaluate() {
    std::optional<Evaluation> found;
    if (!development_.source.empty()) {
      found = look_at_development_set();
    }
    if (found && settled() && takes_the_lead(*found)) {
      state_.best = finetuner_.checkpoint().tensors;
    }
    if (observer_.save) {
      state_.tensors = finetuner_.state();
      observer_.save(state_);
    }
    return found;
  }

  Checkpoint best() const {
    if (development_.source.empty() || std::isinf(state_.best_nll)) {
      return finetuner_.checkpoint();
    }
    Checkpoint result = start_;
    if (!state_.best.empty()) {
      result.tensors = state_.best;
    }
    return result;
  }

  const Checkpoint& start_;
  const EncodedText& text_;
  const EncodedText& development_;
  const FinetuneOptions& options_;
  const FinetuneObserver& observer_;
  Finetuner finetuner_;
  PruningSchedule pruning_;
  FinetuneState state_;
  std::vector<std::vector<std::size_t>> batches_;  // of the epoch
  std::int64_t epoch_ = 0;
  std::int64_t first_of_epoch_ = 0;  // update
  std::int64_t every_ = 1;           // updates from one evaluation to the next
  std::optional<double> loss_;
};

}  // namespace

std::string_view to_string(Selection selection) {
  return selection == Selection::kNll ? "nll" : "bleu";
}

Checkpoint finetune(const FinetuneInputs& inputs, const FinetuneOptions& options,
                    const FinetuneObserver& observer, FinetuneState resume) {
  return Training(inputs, options, observer, std::move(resume)).run();
}

}  // namespace ltz::compress
