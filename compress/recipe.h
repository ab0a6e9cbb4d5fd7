#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compress/kmeans.h"

namespace ltz::compress {

// A decision for the matrices and tables whose name matches a pattern; where several match, the
// last one that has an opinion wins.
struct Override {
  std::string pattern = {};             // of a tensor's name: * any characters, ? any one
  std::optional<int> bits = {};         // 1 to 8
  std::optional<double> sparsity = {};  // in [0, 1]; the target no longer moves it
  bool keep_float = false;              // float16, no codebook; pruned only if sparsity says so
};

// What the user wants. The target decides how much is pruned; at most one is set.
struct Recipe {
  std::string name = "custom";
  // Second-order rounding on a calibration text (calibrated.h) instead of pruning and K-means; then
  // the target is one of paper_ratio and bits_per_weight, and of the rest only keep_float counts.
  bool calibrated = false;
  int bits = 8;            // of the matrices' codes
  int embedding_bits = 8;  // of the tables' codes
  KMeansInit init = KMeansInit::kLinear;
  int kmeans_iterations = 100;  // see KMeansOptions: with few centroids and a linear start, fewer
                                // steps make smaller codes
  bool prune = true;
  bool prune_embeddings = false;
  bool quantize_embeddings = true;         // false: float16
  double max_sparsity = 0.9;               // of any tensor that the target prunes
  std::optional<double> sparsity = {};     // target: fraction of zeros among the prunable weights
  std::optional<double> paper_ratio = {};  // target: baseline bytes / model bytes
  std::optional<double> bits_per_weight = {};  // target: 8 * model bytes / non-embedding parameters
  std::vector<Override> overrides = {};
  std::uint64_t seed = 1;
};

// "paper": the published method and its ratio, 18.2, with sensitivity pruning and 256 centroids
// from a linear start. "balanced" and "max": second-order rounding at 2.9 and 2.2 bits per weight.
// Throws ConfigError for any other name.
Recipe preset(std::string_view name);

// Throws ConfigError, naming the setting, for one out of range and for two targets.
void validate(const Recipe& recipe);

// The model bytes that paper_ratio or bits_per_weight ask for; nothing with neither.
// non_embedding_parameters: of the model. baseline_bytes: what paper_ratio is a ratio to.
std::optional<double> target_model_bytes(const Recipe& recipe,
                                         std::int64_t non_embedding_parameters,
                                         double baseline_bytes);

}  // namespace ltz::compress
