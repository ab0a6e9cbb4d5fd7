#include "compress/sensitivity.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "compress/naming.h"
#include "compress/prune.h"
#include "compress/quantize.h"
#include "model/error.h"

namespace ltz::compress {

namespace {

struct Setting {
  std::string tensor;
  Knob knob;
  double value;
};

std::vector<Setting> settings(const Checkpoint& checkpoint, const SensitivityOptions& options) {
  std::vector<Setting> all;
  for (const ParameterSpec& spec : parameter_specs(checkpoint.config)) {
    if (spec.role != Role::kMatrix && !(spec.role == Role::kTable && options.tables)) {
      continue;
    }
    for (const double sparsity : options.sparsities) {
      all.push_back({spec.name, Knob::kSparsity, sparsity});
    }
    for (const int bits : options.bits) {
      all.push_back({spec.name, Knob::kBits, static_cast<double>(bits)});
    }
  }
  return all;
}

std::optional<SensitivityPoint> find(std::span<const SensitivityPoint> known,
                                     const Setting& setting) {
  // A setting that went through a text file need not have every bit of 0.1 + 0.2.
  constexpr double kSame = 1e-6;
  const auto found = std::ranges::find_if(known, [&](const SensitivityPoint& point) {
    return point.tensor == setting.tensor && point.knob == setting.knob &&
           std::abs(point.setting - setting.value) < kSame;
  });
  return found == known.end() ? std::nullopt : std::optional(*found);
}

// Fills in what the point says about the tensor alone.
Tensor damage(const Tensor& tensor, const SensitivityOptions& options, SensitivityPoint& point) {
  const std::vector<float> original = tensor.values();
  Tensor replacement;
  if (point.knob == Knob::kSparsity) {
    const float threshold = threshold_for_sparsity(original, point.setting);
    const float deviation = standard_deviation(original);
    point.threshold = deviation > 0.0f ? static_cast<double>(threshold) / deviation : 0.0;
    replacement = prune(tensor, threshold);
  } else {
    replacement = quantize(tensor, {.bits = static_cast<int>(point.setting),
                                    .init = options.init,
                                    .max_iterations = options.max_iterations,
                                    .seed = options.seed});
  }
  point.relative_error = relative_error(original, replacement.values());
  return replacement;
}

SensitivityPoint measure(const Tensor& tensor, const Setting& setting,
                         const SensitivityOptions& options, const Quality& quality) {
  SensitivityPoint point{.tensor = setting.tensor, .knob = setting.knob, .setting = setting.value};
  const Tensor replacement = naming(setting.tensor, [&] { return damage(tensor, options, point); });
  point.quality = quality(setting.tensor, replacement);
  if (!std::isfinite(point.quality)) {
    throw ConfigError(setting.tensor + ": the quality at " +
                      (setting.knob == Knob::kSparsity ? "sparsity " : "bits ") +
                      std::to_string(setting.value) + " is not a finite number");
  }
  return point;
}

}  // namespace

double relative_error(std::span<const float> original, std::span<const float> changed) {
  double error = 0.0;
  double norm = 0.0;
  for (std::size_t i = 0; i < original.size(); ++i) {
    const double difference = static_cast<double>(original[i]) - changed[i];
    error += difference * difference;
    norm += static_cast<double>(original[i]) * original[i];
  }
  return norm > 0.0 ? error / norm : 0.0;
}

SensitivityCurves analyse(const Checkpoint& checkpoint, const SensitivityOptions& options,
                          const Measurement& measurement, std::span<const SensitivityPoint> known,
                          const OnPoint& on_point) {
  SensitivityCurves curves{measurement.metric, measurement.baseline, {}};
  const std::vector<Setting> todo = settings(checkpoint, options);
  for (const Setting& setting : todo) {
    if (std::optional<SensitivityPoint> point = find(known, setting)) {
      curves.points.push_back(*std::move(point));
      continue;
    }
    const auto tensor = checkpoint.tensors.find(setting.tensor);
    if (tensor == checkpoint.tensors.end()) {
      throw ConfigError("no tensor " + setting.tensor + " in the checkpoint");
    }
    curves.points.push_back(measure(tensor->second, setting, options, measurement.quality));
    if (on_point) {
      on_point(curves.points.back(), curves.points.size(), todo.size());
    }
  }
  return curves;
}

}  // namespace ltz::compress
