#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "compress/kmeans.h"
#include "model/checkpoint.h"

namespace ltz::compress {

// Quality of the model with the tensor of that name replaced and all others as they are; lower is
// better: mean negative log-likelihood in nats, or negated BLEU. Called once per point.
using Quality = std::function<double(const std::string& name, const Tensor& replacement)>;

// What was done to the tensor.
enum class Knob { kSparsity, kBits };

struct SensitivityPoint {
  std::string tensor = {};
  Knob knob = Knob::kSparsity;
  double setting = 0.0;         // sparsity in [0, 1], or bits
  double threshold = 0.0;       // of pruning, in standard deviations of the tensor; 0 for bits
  double relative_error = 0.0;  // ||W - Q||^2 / ||W||^2
  double quality = 0.0;
};

struct SensitivityCurves {
  std::string metric = {};  // what quality is, for the reader of the file
  double baseline = 0.0;    // quality of the unchanged model
  std::vector<SensitivityPoint> points = {};
};

struct SensitivityOptions {
  std::vector<double> sparsities = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9};
  std::vector<int> bits = {2, 3, 4, 5, 6, 7, 8};
  bool tables = true;  // the embeddings as well as the matrices
  KMeansInit init = KMeansInit::kLinear;
  int max_iterations = 30;
  std::uint64_t seed = 1;
};

struct Measurement {
  std::string metric = {};
  double baseline = 0.0;
  Quality quality = {};
};

// Called after each new point, before the next is begun; done counts the known ones too.
using OnPoint =
    std::function<void(const SensitivityPoint& point, std::size_t done, std::size_t total)>;

// Layer by layer sensitivity (Han et al. 2015, section 3.1): every matrix of the model is pruned,
// then quantized, alone and by every setting in turn, in the order of parameter_specs; options of
// settings as given. A point of `known`, of the same tensor, knob and setting, is taken over
// instead of measured, so that an interrupted run can go on. on_point may be empty. Throws
// ConfigError for settings out of range and for a quality that is not finite, naming the tensor;
// what quality throws passes through.
SensitivityCurves analyse(const Checkpoint& checkpoint, const SensitivityOptions& options,
                          const Measurement& measurement,
                          std::span<const SensitivityPoint> known = {},
                          const OnPoint& on_point = {});

// ||original - changed||^2 / ||original||^2; 0 if the original is all zeros. Both: (n).
double relative_error(std::span<const float> original, std::span<const float> changed);

}  // namespace ltz::compress
