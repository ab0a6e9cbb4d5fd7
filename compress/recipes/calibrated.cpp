#include "compress/recipes/calibrated.h"

#include <algorithm>
#include <array>
#include <optional>

#include "compress/calibration/original_targets.h"
#include "compress/calibration/paired_reading.h"
#include "compress/codebooks/quantize.h"
#include "compress/sensitivity/pattern.h"
#include "model/base/blas.h"
#include "model/base/context.h"
#include "model/base/error.h"
#include "model/checkpoint/parameter_names.h"

namespace ltz::compress {
namespace {

// Damping of the inputs' moments when targets are made, see original_targets: 0.01 to 0.2 do as
// well.
constexpr double kTargetDamping = 0.05;

// Matrices of a sublayer whose inputs come from other matrices of it: they are calibrated when
// those are compressed.
bool comes_second(const std::string& matrix) {
  return std::ranges::any_of(
      std::array{"out_proj.weight", "linear2.weight", "weight_linear.weight", "fc2.weight"},
      [&](const char* end) { return matrix.ends_with(end); });
}

// bias += W mean(x) - Q mean(y), where y is what the inputs x have become.
Tensor corrected_bias(const Checkpoint& checkpoint, const std::string& matrix,
                      const Tensor& quantized, const InputMoments& before,
                      const InputMoments& after) {
  std::vector<float> bias = checkpoint.tensors.at(bias_of(matrix)).values();
  const std::vector<float> w = checkpoint.tensors.at(matrix).values();
  const std::vector<float> q = quantized.values();
  const std::size_t columns = before.sum.size();
  for (std::size_t row = 0; row < bias.size(); ++row) {
    double difference = 0.0;
    for (std::size_t i = 0; i < columns; ++i) {
      difference += w[row * columns + i] * before.sum[i] / static_cast<double>(before.count) -
                    q[row * columns + i] * after.sum[i] / static_cast<double>(after.count);
    }
    bias[row] = round_to_float16(static_cast<float>(bias[row] + difference));
  }
  return dense_tensor(checkpoint.tensors.at(bias_of(matrix)).shape, std::move(bias),
                      Precision::kFloat16);
}

// Mean over inputs of ||W x||^2.
double mean_square_output(const std::vector<float>& weights, const InputMoments& moments) {
  const auto columns = moments.columns();
  const auto rows = static_cast<Eigen::Index>(weights.size()) / columns;
  const auto w = Eigen::Map<const Matrix>(weights.data(), rows, columns).cast<double>();
  const auto h = Eigen::Map<const Square>(moments.second.data(), columns, columns);
  return (Square(w) * h).cwiseProduct(Square(w)).sum() / static_cast<double>(moments.count);
}

// Centred, they are to be uncorrelated around their means, else around zero.
InputMoments without_correlations(InputMoments moments, bool centred) {
  const auto n = static_cast<std::size_t>(moments.columns());
  const auto count = static_cast<double>(moments.count);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      if (i != j) {
        moments.second[i * n + j] = centred ? moments.sum[i] * moments.sum[j] / count : 0.0;
      }
    }
  }
  return moments;
}

}  // namespace

CalibratedCompressor::CalibratedCompressor(const Checkpoint& checkpoint,
                                           const Calibration& calibration, const Recipe& recipe)
    : checkpoint_(checkpoint),
      calibration_(calibration),
      overrides_(recipe.overrides),
      method_(calibrated_method(recipe)) {
  sublayers_.resize(static_cast<std::size_t>(number_of_sublayers(checkpoint.config)));
  norms_.resize(sublayers_.size());
  for (const ParameterSpec& spec : parameter_specs(checkpoint.config)) {
    const bool keep_float = std::ranges::any_of(overrides_, [&](const Override& special) {
      return special.keep_float && matches(special.pattern, spec.name);
    });
    if (keep_float || (spec.role != Role::kMatrix && !is_token_table(spec))) {
      continue;
    }
    if (!calibration.moments.contains(spec.name) ||
        !calibration.sensitivities.contains(spec.name)) {
      throw ConfigError("tensor " + spec.name + " is not in the calibration");
    }
    if (spec.component == Component::kEmbedding) {
      tables_.push_back(spec.name);
      continue;
    }
    const auto sublayer = static_cast<std::size_t>(sublayer_of(checkpoint.config, spec));
    norms_[sublayer] = norm_behind(checkpoint.config, spec);
    auto& groups = sublayers_[sublayer];
    groups[comes_second(spec.name) ? 1 : 0].push_back(spec.name);
  }
}

std::vector<std::string> CalibratedCompressor::names() const {
  std::vector<std::string> names = tables_;
  for (const auto& groups : sublayers_) {
    for (const std::vector<std::string>& group : groups) {
      names.insert(names.end(), group.begin(), group.end());
    }
  }
  return names;
}

double CalibratedCompressor::price(const std::string& name) const {
  double price = calibration_.sensitivities.at(name);
  if (!method_.uses(Technique::kAllocation)) {
    const Tensor& tensor = checkpoint_.tensors.at(name);
    price = static_cast<double>(tensor.size()) /
            mean_square_output(tensor.values(), calibration_.moments.at(name));
  }
  double care = 1.0;
  for (const Override& special : overrides_) {
    if (special.care && matches(special.pattern, name)) {
      care = *special.care;
    }
  }
  // An output that nothing depends on may be as wrong as it likes, but within reason.
  return std::max(care * price, 1e-12);
}

SecondOrderResult CalibratedCompressor::quantize(const std::string& name,
                                                 std::span<const float> weights,
                                                 const InputMoments& moments, double lambda,
                                                 const SecondOrderOptions& options) const {
  return in_context("tensor " + name, [&] {
    SecondOrderOptions own = options;
    own.lambda = lambda / price(name);
    own.centred = checkpoint_.tensors.contains(bias_of(name));
    own.scale_rows = method_.uses(Technique::kRowScales);
    own.rate_share = method_.uses(Technique::kRates) ? options.rate_share : 0.0;
    own.refit = method_.uses(Technique::kRefit);
    own.k_means_too = method_.uses(Technique::kKMeansCells);
    own.sweeps = method_.uses(Technique::kDescent) ? options.sweeps : 0;
    if (const auto rows = calibration_.row_weights.find(name);
        rows != calibration_.row_weights.end()) {
      own.row_weights = rows->second;
    }
    return quantize_second_order(weights,
                                 method_.uses(Technique::kErrorFeedback)
                                     ? moments
                                     : without_correlations(moments, own.centred),
                                 own);
  });
}

std::vector<TensorEstimate> CalibratedCompressor::estimate(double lambda) const {
  std::vector<TensorEstimate> estimates;
  for (const std::string& name : names()) {
    const Tensor& tensor = checkpoint_.tensors.at(name);
    const SecondOrderResult result = quantize(name, tensor.values(), calibration_.moments.at(name),
                                              lambda, {.passes = 2, .sweeps = 0});
    estimates.push_back({.name = name,
                         .codebook = to_string(result.start),
                         .centroids = result.values.centroids.size(),
                         .sparsity = sparsity(Tensor{tensor.shape, result.values}.values()),
                         .bits = result.bits,
                         .divergence = calibration_.sensitivities.at(name) * result.error});
  }
  return estimates;
}

Replacements CalibratedCompressor::compress_group(const std::vector<std::string>& group,
                                                  double lambda, PairedReading* reading) const {
  std::map<std::string, PairedMoments> pairs;
  if (reading != nullptr) {
    pairs = reading->moments({group.begin(), group.end()});
  }
  Replacements replacements;
  for (const std::string& name : group) {
    const Tensor& matrix = checkpoint_.tensors.at(name);
    const InputMoments& before = calibration_.moments.at(name);
    const auto pair = pairs.find(name);
    const InputMoments& after = pair == pairs.end() ? before : pair->second.inputs;
    const std::string bias = bias_of(name);
    const bool biased = checkpoint_.tensors.contains(bias);
    std::vector<float> weights = matrix.values();
    if (pair != pairs.end() && method_.uses(Technique::kOriginalTargets)) {
      weights = original_targets(weights, before, pair->second,
                                 {.damping = kTargetDamping, .centred = biased});
    }
    const Tensor quantized{matrix.shape, quantize(name, weights, after, lambda, {}).values};
    if (biased && !calibration_.text.source.empty() && method_.uses(Technique::kBiasCorrection)) {
      replacements.emplace(bias, corrected_bias(checkpoint_, name, quantized, before, after));
    }
    replacements.emplace(name, quantized);
  }
  return replacements;
}

Checkpoint CalibratedCompressor::compress(double lambda, const Progress& on_stage) const {
  Checkpoint result = checkpoint_;
  Transformer original(checkpoint_);
  Transformer model(checkpoint_);
  const auto replace = [&](const std::string& name, Tensor tensor) {
    model.replace(name, tensor.values());
    result.tensors.at(name) = std::move(tensor);
  };
  const auto report = [&](std::size_t done) {
    if (on_stage) {
      on_stage(done, 1 + sublayers_.size());
    }
  };
  for (const std::string& name : tables_) {
    const Tensor& table = checkpoint_.tensors.at(name);
    const SecondOrderResult found =
        quantize(name, table.values(), calibration_.moments.at(name), lambda, {});
    replace(name, {table.shape, found.values});
  }
  report(1);
  std::optional<PairedReading> reading;
  if (!calibration_.text.source.empty() && method_.uses(Technique::kSequential)) {
    reading.emplace(original, model, calibration_.text);
  }
  for (std::size_t s = 0; s < sublayers_.size(); ++s) {
    for (const std::vector<std::string>& group : sublayers_[s]) {
      for (auto& [name, tensor] : compress_group(group, lambda, reading ? &*reading : nullptr)) {
        replace(name, std::move(tensor));
      }
    }
    if (reading) {
      if (method_.layer_norm_repair && norms_[s]) {
        const std::string gain = *norms_[s] + ".weight";
        const std::string bias = *norms_[s] + ".bias";
        NormParameters parameters =
            repaired(checkpoint_.tensors.at(gain).values(), checkpoint_.tensors.at(bias).values(),
                     fit_lines(reading->outputs(), *method_.layer_norm_repair));
        const Shape shape = checkpoint_.tensors.at(gain).shape;
        replace(gain, dense_tensor(shape, std::move(parameters.gain), Precision::kFloat16));
        replace(bias, dense_tensor(shape, std::move(parameters.bias), Precision::kFloat16));
      }
      reading->advance();
    }
    report(2 + s);
  }
  for (auto& [name, tensor] : result.tensors) {
    if (!tensor.quantized()) {
      tensor = to_16_bits(tensor);
    }
  }
  return result;
}

}  // namespace ltz::compress
