#include "model/training/training_loss.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <numeric>
#include <random>

#include "formats/bytes/config_json.h"
#include "tests/support/plain_model.h"
#include "tests/support/random_architecture.h"
#include "tests/support/tiny_checkpoint.h"

namespace ltz {
namespace {

constexpr unsigned kArchitectures = 32;
constexpr auto kLengths = {4, 0, 9};

double log_sum_exp(const std::vector<double>& x) {
  const double largest = *std::ranges::max_element(x);
  const double sum = std::accumulate(x.begin(), x.end(), 0.0, [&](double so_far, double value) {
    return so_far + std::exp(value - largest);
  });
  return largest + std::log(sum);
}

double squared_length(const std::vector<float>& x) {
  return std::inner_product(x.begin(), x.end(), x.begin(), 0.0);
}

// The objective as its definition has it, of one sentence.
double plain_objective(const PlainModel& model, const PlainModel& teacher, const TokenIds& source,
                       const TokenIds& target, const Objective& objective) {
  const PlainModel::Rows logits = model.logits(source, target);
  const PlainModel::Rows taught = teacher.logits(source, target);
  double loss = 0.0;
  for (std::size_t i = 0; i < target.size(); ++i) {
    // In front of a language model's text, where it does not count.
    if (target[i] == Vocabulary::kBos) {
      continue;
    }
    const double normalizer = log_sum_exp(logits[i]);
    const double taught_normalizer = log_sum_exp(taught[i]);
    const auto size = static_cast<double>(logits[i].size());
    for (std::size_t token = 0; token < logits[i].size(); ++token) {
      const double reference =
          objective.label_smoothing / size +
          (static_cast<int>(token) == target[i] ? 1.0 - objective.label_smoothing : 0.0);
      const double wanted = (1.0 - objective.distillation) * reference +
                            objective.distillation * std::exp(taught[i][token] - taught_normalizer);
      loss += wanted * (normalizer - logits[i][token]);
    }
  }
  return loss;
}

struct Problem {
  std::vector<TokenIds> sources;
  std::vector<TokenIds> targets;
  Objective objective;

  double loss(const Checkpoint& checkpoint, const PlainModel& teacher) const {
    const PlainModel model(checkpoint);
    double sum = 0.0;
    for (std::size_t s = 0; s < sources.size(); ++s) {
      sum += plain_objective(model, teacher, sources[s], targets[s], objective);
    }
    return sum;
  }
};

// How the loss rises when one tensor moves along a direction, in front of where it is and behind.
// They differ where a ReLU has its kink.
std::pair<double, double> slopes(const Problem& problem, const PlainModel& teacher,
                                 Checkpoint& checkpoint, const std::string& name,
                                 const std::vector<float>& direction) {
  constexpr float kStep = 0x1p-11f;
  const Tensor before = checkpoint.tensors.at(name);
  const std::vector<float> values = before.values();
  const auto moved_by = [&](float step) {
    std::vector<float> moved = values;
    for (std::size_t i = 0; i < moved.size(); ++i) {
      moved[i] += step * direction[i];
    }
    checkpoint.tensors.at(name) = dense_tensor(before.shape, moved);
    return problem.loss(checkpoint, teacher);
  };
  const double here = moved_by(0.0f);
  const std::pair<double, double> slopes{(here - moved_by(-kStep)) / kStep,
                                         (moved_by(kStep) - here) / kStep};
  checkpoint.tensors.at(name) = before;
  return slopes;
}

// Of a few random directions through every parameter.
void check_gradients(const ModelConfig& config, unsigned seed) {
  Checkpoint checkpoint = random_checkpoint(config, seed + 2000);
  const Checkpoint other = random_checkpoint(config, seed + 3000);
  const PlainModel teacher(other);
  const Transformer teacher_model(other);
  SomeText text = some_text(kLengths, config);
  Problem problem{.sources = std::move(text.sources),
                  .targets = std::move(text.targets),
                  .objective = {.label_smoothing = 0.1, .distillation = 0.3}};
  if (seed % 2 == 1 && !is_language_model(config)) {
    problem.sources[0][1] = problem.sources[2][5] = Vocabulary::kPad;
  }
  Gradients gradients(config);
  const TrainingLoss loss = backward(Transformer(checkpoint), &teacher_model, problem.sources,
                                     problem.targets, problem.objective, gradients);
  CHECK(loss.objective == Approx(problem.loss(checkpoint, teacher)).epsilon(1e-4));
  CHECK(loss.reference.nats ==
        Approx(
            negative_log_likelihood(Transformer(checkpoint), problem.sources, problem.targets).nats)
            .epsilon(1e-5));
  std::mt19937 random(seed);
  for (const auto& [name, gradient] : gradients.values()) {
    CAPTURE(name);
    std::vector<float> direction(gradient.size());
    std::ranges::generate(direction, [&] { return random() % 2 == 0 ? 1.0f : -1.0f; });
    const auto [left, right] = slopes(problem, teacher, checkpoint, name, direction);
    const double found =
        std::inner_product(gradient.begin(), gradient.end(), direction.begin(), 0.0);
    const double tolerance = 0.02 * std::sqrt(squared_length(gradient)) + 1e-3;
    CHECK(found >= std::min(left, right) - tolerance);
    CHECK(found <= std::max(left, right) + tolerance);
  }
}

}  // namespace

TEST_CASE("gradients of every architecture are those of finite differences", "[architectures]") {
  for (unsigned seed = 0; seed < kArchitectures; ++seed) {
    const ModelConfig config = random_architecture(seed);
    CAPTURE(seed, formats::config_text(config));
    check_gradients(config, seed);
  }
}

TEST_CASE("gradients of every language model are those of finite differences", "[architectures]") {
  for (unsigned seed = 0; seed < kArchitectures; ++seed) {
    const ModelConfig config = random_language_model(seed);
    CAPTURE(seed, formats::config_text(config));
    check_gradients(config, seed);
  }
}

TEST_CASE("gradients add up over calls, and are the same every time") {
  const ModelConfig config = random_architecture(3);
  const Checkpoint checkpoint = random_checkpoint(config, 3);
  const Transformer model(checkpoint);
  const auto sources = some_sentences({5, 2}, config.source_vocabulary_size, 3);
  const auto targets = some_sentences({3, 6}, config.target_vocabulary_size, 5);
  Gradients once(config);
  backward(model, nullptr, sources, targets, {}, once);
  Gradients twice(config);
  backward(model, nullptr, sources, targets, {}, twice);
  CHECK(once.values() == twice.values());
  backward(model, nullptr, sources, targets, {}, twice);
  Gradients sum = once;
  for (const auto& [name, values] : once.values()) {
    sum.add(once, name);
  }
  for (const auto& [name, values] : sum.values()) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      CHECK(twice.values().at(name)[i] == Approx(values[i]).epsilon(1e-4).margin(1e-5));
    }
  }
  sum.clear();
  CHECK(sum.values() == Gradients(config).values());
}

}  // namespace ltz
