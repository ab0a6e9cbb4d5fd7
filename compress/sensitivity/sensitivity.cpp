#include "compress/sensitivity/sensitivity.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "compress/codebooks/quantize.h"
#include "compress/sensitivity/pattern.h"
#include "compress/sensitivity/prune.h"
#include "model/base/context.h"
#include "model/base/error.h"
#include "model/base/parallel.h"

namespace ltz::compress {

namespace {

struct Setting {
  std::string group;
  Knob knob;
  double value;
};

std::vector<Setting> settings(const std::vector<std::string>& groups,
                              const SensitivityOptions& options) {
  std::vector<Setting> all;
  for (const std::string& group : groups) {
    for (const double sparsity : options.sparsities) {
      all.push_back({group, Knob::kSparsity, sparsity});
    }
    for (const int bits : options.bits) {
      all.push_back({group, Knob::kBits, static_cast<double>(bits)});
    }
  }
  return all;
}

std::optional<SensitivityPoint> find(std::span<const SensitivityPoint> known,
                                     const Setting& setting) {
  // A setting that went through a text file need not have every bit of 0.1 + 0.2.
  constexpr double kSame = 1e-6;
  const auto found = std::ranges::find_if(known, [&](const SensitivityPoint& point) {
    return point.group == setting.group && point.knob == setting.knob &&
           std::abs(point.setting - setting.value) < kSame;
  });
  return found == known.end() ? std::nullopt : std::optional(*found);
}

// A tensor and what all settings share.
struct Prepared {
  const Tensor* original;
  std::vector<float> values;
  SortedValues sorted;
  double deviation = 0.0;
  double context_error = 0.0;
};

Prepared prepare(const Tensor& tensor, double context) {
  std::vector<float> values = tensor.values();
  SortedValues sorted(values);
  const double deviation = standard_deviation(values);
  double context_error = 0.0;
  if (context > 0.0) {
    const std::size_t count = count_for_sparsity(values.size(), context);
    context_error = relative_error(values, prune_smallest(tensor, count).values());
  }
  return {&tensor, std::move(values), std::move(sorted), deviation, context_error};
}

// What a setting does to one tensor.
struct Damage {
  Tensor replacement;
  double threshold = 0.0;  // in standard deviations
  double relative_error = 0.0;
};

Damage damage(const Prepared& tensor, const Setting& setting, const SensitivityOptions& options) {
  Damage result;
  if (setting.knob == Knob::kSparsity) {
    const float threshold = threshold_for_sparsity(tensor.sorted, setting.value);
    result.threshold = tensor.deviation > 0.0 ? threshold / tensor.deviation : 0.0;
    result.replacement =
        prune_smallest(*tensor.original, count_for_sparsity(tensor.values.size(), setting.value));
  } else {
    result.replacement = quantize(tensor.original->shape, tensor.values, tensor.sorted,
                                  {.bits = static_cast<int>(setting.value),
                                   .init = options.init,
                                   .max_iterations = options.max_iterations,
                                   .seed = options.seed});
  }
  result.relative_error = relative_error(tensor.values, result.replacement.values());
  return result;
}

// The tensors of a group. All are there, once prepare has returned.
using PreparedGroup = std::vector<std::optional<Prepared>>;

PreparedGroup prepare(const Checkpoint& checkpoint, const std::vector<std::string>& members,
                      double context) {
  PreparedGroup group(members.size());
  parallel_for(members.size(), [&](std::size_t i) {
    group[i] =
        in_context(members[i], [&] { return prepare(checkpoint.tensors.at(members[i]), context); });
  });
  return group;
}

SensitivityPoint measure(const std::vector<std::string>& members, const PreparedGroup& prepared,
                         const Setting& setting, const SensitivityOptions& options,
                         const Quality& quality) {
  std::vector<Damage> damages(members.size());
  parallel_for(members.size(), [&](std::size_t i) {
    damages[i] = in_context(members[i], [&] { return damage(*prepared[i], setting, options); });
  });
  SensitivityPoint point{.group = setting.group, .knob = setting.knob, .setting = setting.value};
  Replacements replacements;
  double elements = 0.0;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const auto count = static_cast<double>(damages[i].replacement.size());
    elements += count;
    point.threshold += count * damages[i].threshold;
    point.relative_error += count * damages[i].relative_error;
    point.context_error += count * prepared[i]->context_error;
    replacements.emplace(members[i], std::move(damages[i].replacement));
  }
  if (elements > 0.0) {
    point.threshold /= elements;
    point.relative_error /= elements;
    point.context_error /= elements;
  }
  point.quality = quality(replacements);
  if (!std::isfinite(point.quality)) {
    throw ConfigError(setting.group + ": the quality at " +
                      (setting.knob == Knob::kSparsity ? "sparsity " : "bits ") +
                      std::to_string(setting.value) + " is not a finite number");
  }
  return point;
}

std::vector<std::string> members_to_measure(const Checkpoint& checkpoint,
                                            const std::vector<ParameterSpec>& specs,
                                            const std::string& group) {
  const std::vector<std::string> members = members_of(group, specs);
  if (members.empty()) {
    throw ConfigError("no matrix or embedding table matches " + group);
  }
  for (const std::string& name : members) {
    if (!checkpoint.tensors.contains(name)) {
      throw ConfigError("no tensor " + name + " in the checkpoint");
    }
  }
  return members;
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

std::vector<std::string> names_of(const Replacements& replacements) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : replacements) {
    names.push_back(name);
  }
  return names;
}

double measure_replaced(Transformer& model, const Checkpoint& originals,
                        const Replacements& replacements, const std::function<double()>& measure) {
  for (const auto& [name, tensor] : replacements) {
    model.replace(name, tensor.values());
  }
  const double found = measure();
  for (const auto& [name, tensor] : replacements) {
    model.replace(name, originals.tensors.at(name).values());
  }
  return found;
}

SensitivityCurves analyse(const Checkpoint& checkpoint, const SensitivityOptions& options,
                          const Measurement& measurement, std::span<const SensitivityPoint> known,
                          const OnPoint& on_point) {
  const std::vector<ParameterSpec> specs = parameter_specs(checkpoint.config);
  SensitivityCurves curves{measurement.metric, measurement.baseline, {}};
  const std::vector<std::string> groups =
      options.groups.empty() ? single_tensors(specs) : options.groups;
  std::map<std::string, std::vector<std::string>> members;  // found before anything is measured
  for (const std::string& group : groups) {
    members[group] = members_to_measure(checkpoint, specs, group);
  }
  const std::vector<Setting> todo = settings(groups, options);
  std::string prepared_group;  // the settings of a group follow each other
  PreparedGroup prepared;
  for (const Setting& setting : todo) {
    if (std::optional<SensitivityPoint> point = find(known, setting)) {
      curves.points.push_back(*std::move(point));
      continue;
    }
    const std::vector<std::string>& names = members[setting.group];
    if (prepared_group != setting.group) {
      prepared = prepare(checkpoint, names, options.context);
      prepared_group = setting.group;
    }
    curves.points.push_back(measure(names, prepared, setting, options, measurement.quality));
    if (on_point) {
      on_point(curves.points.back(), curves.points.size(), todo.size());
    }
  }
  return curves;
}

}  // namespace ltz::compress
