#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "compress/codebooks/kmeans.h"
#include "model/checkpoint/checkpoint.h"
#include "model/layers/transformer.h"

namespace ltz::compress {

// Tensors in place of those of the same name.
using Replacements = std::map<std::string, Tensor>;
std::vector<std::string> names_of(const Replacements& replacements);

// Quality of the model with these tensors replaced and all others as they are; lower is better:
// mean negative log-likelihood in nats, or negated BLEU. Called once per point.
using Quality = std::function<double(const Replacements& replacements)>;

// What `measure` finds while these tensors of the model are replaced; afterwards they are again as
// in `originals`, the checkpoint that the model was made from.
double measure_replaced(Transformer& model, const Checkpoint& originals,
                        const Replacements& replacements, const std::function<double()>& measure);

// What was done to the tensors.
enum class Knob { kSparsity, kBits };

struct SensitivityPoint {
  std::string group = {};  // name pattern of the tensors that were damaged together
  Knob knob = Knob::kSparsity;
  double setting = 0.0;         // sparsity in [0, 1], or bits
  double threshold = 0.0;       // of pruning, in standard deviations, mean of the group; 0 for bits
  double relative_error = 0.0;  // ||W - Q||^2 / ||W||^2, mean of the group, by elements
  double context_error = 0.0;   // the same where the group has the context's sparsity
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
  // Sparsity of the matrices in the model that quality is measured on, before the group's own: at a
  // sparsity like the wanted one, groups show what they cost together with all others.
  double context = 0.0;
  std::vector<std::string> groups = {};  // name patterns; none: every matrix and table alone
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

// Sensitivity (Han et al. 2015, section 3.1): every group of tensors is pruned, then quantized,
// while the others stay as quality has them (as they are, or pruned to the context's sparsity), by
// every setting in turn. A point of `known`, of the same group, knob and
// setting, is taken over instead of measured, so that an interrupted run can go on. on_point may be
// empty. Throws ConfigError for settings out of range, for a group that no matrix or table belongs
// to, and for a quality that is not finite, naming the group; what quality throws passes through.
SensitivityCurves analyse(const Checkpoint& checkpoint, const SensitivityOptions& options,
                          const Measurement& measurement,
                          std::span<const SensitivityPoint> known = {},
                          const OnPoint& on_point = {});

// ||original - changed||^2 / ||original||^2; 0 if the original is all zeros. Both: (n).
double relative_error(std::span<const float> original, std::span<const float> changed);

}  // namespace ltz::compress
