#pragma once

#include <map>
#include <optional>
#include <string>

#include "model/checkpoint/checkpoint.h"

namespace ltz::compress {

struct GradualPruning {
  std::optional<double> sparsity =
      {};  // of every matrix of the layers; none: they stay as they are
  std::map<std::string, double> tensors = {};  // of these, whatever is said above
};

// Pruning while a model is trained: fast at first, while what is left can make up for it, ever more
// slowly towards the end (Zhu & Gupta, "To prune, or not to prune", 2017, equation 1).
class PruningSchedule {
 public:
  // Throws ConfigError, naming the tensor, for one that the model does not have, that is quantized
  // or a bias or gain, and for a sparsity outside of 0 to 1.
  PruningSchedule(const Checkpoint& start, const GradualPruning& options);

  // Whether nothing is to be pruned.
  bool empty() const { return ranges_.empty(); }

  // Sparsities of the tensors when this fraction of the pruning is done, 0 to 1: target + (sparsity
  // at the start - target) * (1 - fraction)^3. None of those that are sparse enough at the start.
  std::map<std::string, double> at(double fraction) const;

 private:
  struct Range {
    double start;
    double target;
  };

  std::map<std::string, Range> ranges_;
};

}  // namespace ltz::compress
