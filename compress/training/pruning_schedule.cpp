#include "compress/training/pruning_schedule.h"

#include <cmath>
#include <set>

#include "model/base/error.h"

namespace ltz::compress {

PruningSchedule::PruningSchedule(const Checkpoint& start, const GradualPruning& options) {
  std::map<std::string, double> targets = options.tensors;
  std::set<std::string> weights;
  for (const ParameterSpec& spec : parameter_specs(start.config)) {
    if (spec.role != Role::kBias && spec.role != Role::kGain) {
      weights.insert(spec.name);
    }
    if (spec.role == Role::kMatrix && options.sparsity) {
      targets.emplace(spec.name, *options.sparsity);
    }
  }
  for (const auto& [name, target] : targets) {
    if (!weights.contains(name)) {
      throw ConfigError("tensor " + name + ": expected a matrix, table or kernel to prune");
    }
    const Tensor& tensor = start.tensors.at(name);
    if (tensor.quantized()) {
      throw ConfigError("tensor " + name + ": expected plain floats to prune, found a codebook");
    }
    if (!(target >= 0.0 && target <= 1.0)) {
      throw ConfigError("tensor " + name + ": sparsity " + std::to_string(target) +
                        ", expected a number from 0 to 1");
    }
    const double now = sparsity(tensor.values());
    if (now < target) {
      ranges_.emplace(name, Range{now, target});
    }
  }
}

std::map<std::string, double> PruningSchedule::at(double fraction) const {
  std::map<std::string, double> sparsities;
  for (const auto& [name, range] : ranges_) {
    sparsities.emplace(name,
                       range.target + (range.start - range.target) * std::pow(1.0 - fraction, 3));
  }
  return sparsities;
}

}  // namespace ltz::compress
