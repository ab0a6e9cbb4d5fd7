#include "compress/training/finetuner.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "compress/training/code_budget.h"
#include "model/base/context.h"
#include "model/base/error.h"
#include "model/base/parallel.h"
#include "model/decoding/batching.h"

namespace ltz::compress {

Finetuner::Finetuner(const Checkpoint& start, const Checkpoint* original,
                     const FinetunerOptions& options)
    : start_(start),
      options_(options),
      model_(start),
      gradients_(kShards, Gradients(start.config)) {
  if (original != nullptr && !(original->config == start.config)) {
    throw ConfigError("the original is a model of another configuration");
  }
  if (original != nullptr && options.objective.distillation > 0.0) {
    teacher_.emplace(*original);
  }
  for (const ParameterSpec& spec : parameter_specs(start.config)) {
    const Tensor& tensor = start.tensors.at(spec.name);
    std::vector<float> before;
    if (original != nullptr) {
      before = original->tensors.at(spec.name).values();
    }
    parameters_.push_back({spec.name, static_cast<std::size_t>(tensor.size()),
                           spec.role == Role::kTable,
                           TrainedTensor(tensor, spec.role, before, options.tensors)});
  }
  std::ranges::stable_sort(parameters_, std::greater(), &Parameter::size);
  for (const bool tables : {false, true}) {
    first_code_bits_[tables] = code_bits(priced_codebooks(tables));
  }
}

std::vector<TrainedCodebook*> Finetuner::priced_codebooks(bool tables) {
  std::vector<TrainedCodebook*> priced;
  for (Parameter& parameter : parameters_) {
    TrainedCodebook* codebook = parameter.trained.codebook();
    if (parameter.table == tables && codebook != nullptr && codebook->priced()) {
      priced.push_back(codebook);
    }
  }
  return priced;
}

void Finetuner::load(const Parameter& parameter) {
  std::vector<float> values(parameter.size);
  parameter.trained.values(values);
  model_.replace(parameter.name, values);
}

TrainingLoss Finetuner::update(const EncodedText& text, const std::vector<std::size_t>& batch,
                               double learning_rate) {
  const auto shards = shards_of(text, batch);
  std::vector<TrainingLoss> losses(kShards);
  parallel_for(kShards, [&](std::size_t s) {
    gradients_[s].clear();
    losses[s] = backward(model_, teacher_ ? &*teacher_ : nullptr, gather(text.source, shards[s]),
                         gather(text.target, shards[s]), options_.objective, gradients_[s]);
  });
  TrainingLoss loss;
  for (const TrainingLoss& part : losses) {
    loss.add(part);
  }
  if (loss.reference.tokens == 0) {
    return loss;
  }
  const double mean = 1.0 / static_cast<double>(loss.reference.tokens);
  std::vector<double> squares(parameters_.size());
  parallel_for(parameters_.size(), [&](std::size_t p) {
    const Parameter& parameter = parameters_[p];
    for (std::size_t s = 1; s < kShards; ++s) {
      gradients_[0].add(gradients_[s], parameter.name);
    }
    squares[p] = parameter.trained.squared_gradient_norm(gradients_[0][parameter.name]);
  });
  double norm = 0.0;
  for (const double square : squares) {
    norm += square;
  }
  norm = std::sqrt(norm) * mean;
  if (!std::isfinite(norm)) {
    throw ConfigError("training diverges: the gradient is no finite number any more");
  }
  const bool clipped = options_.clip_norm > 0.0 && norm > options_.clip_norm;
  const TrainingStep step{.learning_rate = learning_rate,
                          .gradient_scale = clipped ? mean * options_.clip_norm / norm : mean};
  parallel_for(parameters_.size(), [&](std::size_t p) {
    parameters_[p].trained.step(gradients_[0][parameters_[p].name], step);
    load(parameters_[p]);
  });
  return loss;
}

void Finetuner::prune(const std::map<std::string, double>& sparsities) {
  parallel_for(parameters_.size(), [&](std::size_t p) {
    Parameter& parameter = parameters_[p];
    const auto found = sparsities.find(parameter.name);
    TrainedWeights* weights = parameter.trained.weights();
    if (found != sparsities.end() && weights != nullptr) {
      in_context("tensor " + parameter.name, [&] { weights->prune(found->second); });
      load(parameter);
    }
  });
}

void Finetuner::hold_code_bits(double fraction) {
  for (const bool tables : {false, true}) {
    compress::hold_code_bits(priced_codebooks(tables), fraction * first_code_bits_[tables]);
  }
  parallel_for(parameters_.size(), [&](std::size_t p) {
    if (parameters_[p].trained.codebook() != nullptr) {
      load(parameters_[p]);
    }
  });
}

Checkpoint Finetuner::checkpoint() const {
  Checkpoint result = start_;
  for (const Parameter& parameter : parameters_) {
    in_context("tensor " + parameter.name,
               [&] { result.tensors.at(parameter.name) = parameter.trained.tensor(); });
  }
  return result;
}

std::map<std::string, TrainingState> Finetuner::state() const {
  std::map<std::string, TrainingState> state;
  for (const Parameter& parameter : parameters_) {
    state.emplace(parameter.name, parameter.trained.state());
  }
  return state;
}

void Finetuner::restore(const std::map<std::string, TrainingState>& state) {
  for (Parameter& parameter : parameters_) {
    const auto found = state.find(parameter.name);
    if (found == state.end()) {
      throw ConfigError("no state of tensor " + parameter.name);
    }
    in_context("tensor " + parameter.name, [&] { parameter.trained.restore(found->second); });
    load(parameter);
  }
}

}  // namespace ltz::compress
