#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "compress/calibration/layer_norm_repair.h"
#include "compress/codebooks/kmeans.h"
#include "compress/training/finetune.h"
#include "model/checkpoint/config.h"

namespace ltz::compress {

// A decision for the matrices and tables whose name matches a pattern; where several match, the
// last one that has an opinion wins.
struct Override {
  std::string pattern = {};             // of a tensor's name: * any characters, ? any one
  std::optional<int> bits = {};         // 1 to 8
  std::optional<double> sparsity = {};  // in [0, 1]; the target no longer moves it
  bool keep_float = false;              // float16, no codebook; pruned only if sparsity says so
  // Calibrated recipes: a factor on what the tensor's errors cost; above 1 it is kept better.
  std::optional<double> care = {};
};

// The parts of calibrated compression (calibrated.h), each of which a recipe can do without: to see
// what it is worth.
enum class Technique {
  kAllocation,       // sensitivities by noise; without: equal relative errors cost the same
  kErrorFeedback,    // second-order rounding; without: of H only the diagonal
  kRates,            // bits count when a code is chosen
  kDescent,          // coordinate descent over the codes
  kRefit,            // centroids in closed form
  kKMeansCells,      // K-means cells compete with the uniform grid
  kRowScales,        // of tables
  kSequential,       // inputs that come through what is compressed already
  kOriginalTargets,  // what the original model's layers put out
  kBiasCorrection,
};

// "allocation", "error-feedback", "rates", "descent", "refit", "k-means-cells", "row-scales",
// "sequential", "original-targets", "bias-correction".
std::string_view to_string(Technique technique);
std::span<const Technique> all_techniques();

// Pruning by sensitivity and codebooks by K-means, tensor by tensor (plan.h).
struct PruningMethod {
  int bits = 8;            // of the matrices' codes
  int embedding_bits = 8;  // of the tables' codes
  KMeansInit init = KMeansInit::kLinear;
  int kmeans_iterations = 100;  // see KMeansOptions: with few centroids and a linear start, fewer
                                // steps make smaller codes
  bool prune = true;
  bool prune_embeddings = false;
  bool quantize_embeddings = true;      // false: float16
  double max_sparsity = 0.9;            // of any tensor that the target prunes
  std::optional<double> sparsity = {};  // target: fraction of zeros among the prunable weights
  std::uint64_t seed = 1;
};

// Second-order rounding on a calibration text (calibrated.h). It needs paper_ratio or
// bits_per_weight; of the overrides only keep_float and care count.
struct CalibratedMethod {
  // With bits_per_weight: more bits, but at most max_bits_per_weight, if the mean divergence of the
  // model's distributions would be more than this, in nats.
  std::optional<double> max_divergence = {};
  std::optional<double> max_bits_per_weight = {};
  std::set<Technique> without = {};  // techniques that it does not use
  // Every LayerNorm behind a compressed sublayer takes up what it can, see layer_norm_repair.h.
  // With original-targets there is nothing left to take up: on the WMT En-Fr model at 2.15 bits per
  // weight the divergence is 2 to 4% larger with it.
  std::optional<Slope> layer_norm_repair = {};

  bool uses(Technique technique) const { return !without.contains(technique); }
};

// What the user wants. The target decides how strongly the model is compressed; at most one is set:
// paper_ratio, bits_per_weight or the sparsity of PruningMethod.
struct Recipe {
  std::string name = "custom";
  std::variant<PruningMethod, CalibratedMethod> method = PruningMethod{};
  std::optional<double> paper_ratio = {};      // target: baseline bytes / model bytes
  std::optional<double> bits_per_weight = {};  // target: 8 * model bytes / non-embedding parameters
  // Whether the smallest possible model will do where the target is out of reach: that of a preset,
  // for a model so small that codebooks and tables take most of it.
  bool target_yields = false;
  std::vector<Override> overrides = {};
  // Retraining, in the stages of retraining.h; none without it.
  std::optional<FinetuneOptions> finetune = {};

  // Null where the method is the other one.
  const PruningMethod* pruning() const { return std::get_if<PruningMethod>(&method); }
  const CalibratedMethod* calibrated() const { return std::get_if<CalibratedMethod>(&method); }
};

// "paper": the published method and its size, 4.49 bits per weight, with sensitivity pruning and
// 256 centroids from a linear start. "balanced" and "max": calibrated, at 2.7 and 2.15 bits per
// weight. "balanced" takes up to 3.5 where the divergence would be more than 0.004 nats, and more
// care of the tables: other texts have words that the calibration text lacks. Throws ConfigError
// for any other name.
Recipe preset(std::string_view name);

// How a recipe of this kind is retrained unless it says otherwise: where codes follow from pruning
// and K-means they stay, calibrated ones are free.
FinetuneOptions default_finetune(const Recipe& recipe);

// Throws ConfigError, naming the setting, for one out of range and for two targets.
void validate(const Recipe& recipe);
// The settings of one method. recipe: its name.
void validate(const PruningMethod& method, const std::string& recipe);
void validate(const CalibratedMethod& method, const std::string& recipe);

// Throws ConfigError, naming the pattern, for an override that is about no matrix and no table of
// the model.
void require_matches(const Recipe& recipe, const ModelConfig& config);

// The method of a recipe that is expected to have it. Throws ConfigError for the other one.
const PruningMethod& pruning_method(const Recipe& recipe);
const CalibratedMethod& calibrated_method(const Recipe& recipe);

// The model bytes that paper_ratio or bits_per_weight ask for; nothing with neither.
// non_embedding_parameters: of the model. baseline_bytes: what paper_ratio is a ratio to.
std::optional<double> target_model_bytes(const Recipe& recipe,
                                         std::int64_t non_embedding_parameters,
                                         double baseline_bytes);

}  // namespace ltz::compress
