#include "compress/recipes/recipe.h"

#include <array>
#include <cmath>
#include <string>

#include "compress/sensitivity/pattern.h"
#include "model/base/error.h"
#include "model/checkpoint/checkpoint.h"

namespace ltz::compress {

namespace {

void require(bool holds, const std::string& recipe, const std::string& complaint) {
  if (!holds) {
    throw ConfigError("recipe " + recipe + ": " + complaint);
  }
}

void require_bits(int bits, const std::string& recipe, const std::string& what) {
  require(bits >= 1 && bits <= 8, recipe,
          what + " is " + std::to_string(bits) + ", expected 1 to 8");
}

void require_fraction(double value, const std::string& recipe, const std::string& what) {
  require(value >= 0.0 && value <= 1.0, recipe,
          what + " is " + std::to_string(value) + ", expected 0 to 1");
}

void require_not_negative(double value, const std::string& recipe, const std::string& what) {
  require(value >= 0.0 && std::isfinite(value), recipe,
          what + " is " + std::to_string(value) + ", expected 0 or more");
}

void require_positive(const std::optional<double>& value, const std::string& recipe,
                      const std::string& what) {
  require(!value || (*value > 0.0 && std::isfinite(*value)), recipe,
          what + " is " + std::to_string(value.value_or(0.0)) + ", expected more than 0");
}

void validate(const FinetuneOptions& training, const std::string& recipe) {
  const Objective& objective = training.finetuner.objective;
  require_positive(training.epochs, recipe, "finetune: epochs");
  require_positive(training.learning_rate, recipe, "finetune: learning_rate");
  require_not_negative(training.minutes, recipe, "finetune: minutes");
  require_not_negative(training.finetuner.tensors.codes.rate_weight, recipe,
                       "finetune: rate_weight");
  require_positive(training.code_bits, recipe, "finetune: code_bits");
  require_fraction(objective.distillation, recipe, "finetune: distillation");
  require_fraction(objective.label_smoothing, recipe, "finetune: label_smoothing");
  require(training.batch_tokens > 0, recipe, "finetune: batch_tokens is 0");
}

void validate(const Override& special, const std::string& recipe) {
  require(!special.pattern.empty(), recipe, "an override without a pattern");
  if (special.bits) {
    require_bits(*special.bits, recipe, special.pattern + ": bits");
    require(!special.keep_float, recipe, special.pattern + ": both bits and keep_float");
  }
  if (special.sparsity) {
    require_fraction(*special.sparsity, recipe, special.pattern + ": sparsity");
  }
  require_positive(special.care, recipe, special.pattern + ": care");
  require(!special.care || !special.keep_float, recipe,
          special.pattern + ": both care and keep_float");
}

}  // namespace

std::string_view to_string(Technique technique) {
  switch (technique) {
    case Technique::kAllocation:
      return "allocation";
    case Technique::kErrorFeedback:
      return "error-feedback";
    case Technique::kRates:
      return "rates";
    case Technique::kDescent:
      return "descent";
    case Technique::kRefit:
      return "refit";
    case Technique::kKMeansCells:
      return "k-means-cells";
    case Technique::kRowScales:
      return "row-scales";
    case Technique::kSequential:
      return "sequential";
    case Technique::kOriginalTargets:
      return "original-targets";
    case Technique::kBiasCorrection:
      return "bias-correction";
  }
  return {};
}

std::span<const Technique> all_techniques() {
  static constexpr std::array kAll = {Technique::kAllocation,      Technique::kErrorFeedback,
                                      Technique::kRates,           Technique::kDescent,
                                      Technique::kRefit,           Technique::kKMeansCells,
                                      Technique::kRowScales,       Technique::kSequential,
                                      Technique::kOriginalTargets, Technique::kBiasCorrection};
  return kAll;
}

Recipe preset(std::string_view name) {
  if (name == "paper") {
    // 18.2x of Transformer base for the paper's 17.3 million weights; of a smaller model that ratio
    // would ask for nothing.
    return {.name = "paper", .bits_per_weight = 4.49, .target_yields = true};
  }
  if (name == "balanced") {
    return {.name = "balanced",
            .method = CalibratedMethod{.max_divergence = 0.004, .max_bits_per_weight = 3.5},
            .bits_per_weight = 2.7,
            .target_yields = true,
            .overrides = {{.pattern = "*embed*", .care = 2.0}}};
  }
  if (name == "max") {
    return {.name = "max",
            .method = CalibratedMethod{},
            .bits_per_weight = 2.15,
            .target_yields = true};
  }
  throw ConfigError("unknown preset " + std::string(name) + ", expected paper, balanced or max");
}

FinetuneOptions default_finetune(const Recipe& recipe) {
  FinetuneOptions options;
  options.epochs = 3.0;
  options.learning_rate = 3e-4;
  options.finetuner.objective.distillation = 0.5;
  if (recipe.calibrated() != nullptr) {
    options.learning_rate = 5e-4;
    options.finetuner.objective.distillation = 0.9;
    options.finetuner.tensors.free_codes = true;
  }
  return options;
}

void validate(const PruningMethod& method, const std::string& recipe) {
  require_bits(method.bits, recipe, "bits");
  require_bits(method.embedding_bits, recipe, "embedding_bits");
  require(method.kmeans_iterations >= 0, recipe, "kmeans_iterations is negative");
  require_fraction(method.max_sparsity, recipe, "max_sparsity");
  if (method.sparsity) {
    require_fraction(*method.sparsity, recipe, "sparsity");
  }
}

void validate(const CalibratedMethod& method, const std::string& recipe) {
  require_positive(method.max_divergence, recipe, "max_divergence");
  require_positive(method.max_bits_per_weight, recipe, "max_bits_per_weight");
  require(method.max_divergence.has_value() == method.max_bits_per_weight.has_value(), recipe,
          "max_divergence and max_bits_per_weight go together");
}

void validate(const Recipe& recipe) {
  const std::string& name = recipe.name;
  std::visit([&](const auto& method) { validate(method, name); }, recipe.method);
  require_positive(recipe.paper_ratio, name, "paper_ratio");
  require_positive(recipe.bits_per_weight, name, "bits_per_weight");
  const bool has_sparsity = recipe.pruning() != nullptr && recipe.pruning()->sparsity;
  require(has_sparsity + recipe.paper_ratio.has_value() + recipe.bits_per_weight.has_value() <= 1,
          name, "more than one of sparsity, paper_ratio and bits_per_weight");
  if (const CalibratedMethod* method = recipe.calibrated()) {
    require(recipe.paper_ratio || recipe.bits_per_weight, name,
            "calibrated needs paper_ratio or bits_per_weight");
    require(!method->max_divergence || recipe.bits_per_weight, name,
            "max_divergence needs calibrated and bits_per_weight");
  }
  for (const Override& special : recipe.overrides) {
    validate(special, name);
  }
  if (recipe.finetune) {
    validate(*recipe.finetune, name);
  }
}

void require_matches(const Recipe& recipe, const ModelConfig& config) {
  const std::vector<ParameterSpec> specs = parameter_specs(config);
  for (const Override& special : recipe.overrides) {
    if (members_of(special.pattern, specs).empty()) {
      throw ConfigError("[[tensor]] pattern \"" + special.pattern +
                        "\": no matrix or embedding table of the model has such a name");
    }
  }
}

const PruningMethod& pruning_method(const Recipe& recipe) {
  require(recipe.pruning() != nullptr, recipe.name, "expected pruning and K-means");
  return *recipe.pruning();
}

const CalibratedMethod& calibrated_method(const Recipe& recipe) {
  require(recipe.calibrated() != nullptr, recipe.name, "expected calibrated compression");
  return *recipe.calibrated();
}

std::optional<double> target_model_bytes(const Recipe& recipe,
                                         std::int64_t non_embedding_parameters,
                                         double baseline_bytes) {
  if (recipe.paper_ratio) {
    return baseline_bytes / *recipe.paper_ratio;
  }
  if (recipe.bits_per_weight) {
    return *recipe.bits_per_weight * static_cast<double>(non_embedding_parameters) / 8.0;
  }
  return std::nullopt;
}

}  // namespace ltz::compress
