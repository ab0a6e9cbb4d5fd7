#include "compress/training/trained_tensor.h"

namespace ltz::compress {
namespace {

std::variant<TrainedWeights, TrainedCodebook> in_training(const Tensor& start, Role role,
                                                          std::span<const float> original,
                                                          const TrainedTensorOptions& options) {
  if (const auto* dense = std::get_if<DenseValues>(&start.data)) {
    const bool never_pruned = role == Role::kBias || role == Role::kGain;
    return TrainedWeights(start.shape, *dense, never_pruned ? Zeros::kTrained : Zeros::kPruned);
  }
  const auto& quantized = std::get<QuantizedValues>(start.data);
  return options.free_codes ? TrainedCodebook(start.shape, quantized, original, options.codes)
                            : TrainedCodebook(start.shape, quantized);
}

}  // namespace

TrainedTensor::TrainedTensor(const Tensor& start, Role role, std::span<const float> original,
                             const TrainedTensorOptions& options)
    : trained_(in_training(start, role, original, options)) {}

void TrainedTensor::values(std::span<float> out) const {
  std::visit([&](const auto& trained) { trained.values(out); }, trained_);
}

double TrainedTensor::squared_gradient_norm(std::span<const float> gradient) const {
  return std::visit([&](const auto& trained) { return trained.squared_gradient_norm(gradient); },
                    trained_);
}

void TrainedTensor::step(std::span<const float> gradient, const TrainingStep& step) {
  std::visit([&](auto& trained) { trained.step(gradient, step); }, trained_);
}

Tensor TrainedTensor::tensor() const {
  return std::visit([](const auto& trained) { return trained.tensor(); }, trained_);
}

TrainingState TrainedTensor::state() const {
  return std::visit([](const auto& trained) { return trained.state(); }, trained_);
}

void TrainedTensor::restore(const TrainingState& state) {
  std::visit([&](auto& trained) { trained.restore(state); }, trained_);
}

}  // namespace ltz::compress
