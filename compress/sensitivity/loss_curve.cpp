#include "compress/sensitivity/loss_curve.h"

#include <algorithm>

#include "compress/sensitivity/pattern.h"

namespace ltz::compress {

namespace {

constexpr double kLeastFactor = 1.0 / 6.0;

struct MeasuredGroup {
  std::vector<std::string> members;
  std::vector<SensitivityPoint> points;
};

std::vector<SensitivityPoint> points_of(const std::string& group, const SensitivityCurves& curves,
                                        Knob knob) {
  std::vector<SensitivityPoint> points;
  std::ranges::copy_if(curves.points, std::back_inserter(points), [&](const auto& point) {
    return point.group == group && point.knob == knob && point.relative_error > 0.0;
  });
  return points;
}

std::vector<MeasuredGroup> measured_groups(const std::vector<ParameterSpec>& specs,
                                           const SensitivityCurves& curves) {
  std::vector<MeasuredGroup> groups;
  std::vector<std::string> seen;
  for (const SensitivityPoint& point : curves.points) {
    if (std::ranges::find(seen, point.group) != seen.end()) {
      continue;
    }
    seen.push_back(point.group);
    MeasuredGroup group{members_of(point.group, specs),
                        points_of(point.group, curves, Knob::kSparsity)};
    if (group.points.empty()) {
      group.points = points_of(point.group, curves, Knob::kBits);
    }
    groups.push_back(std::move(group));
  }
  return groups;
}

// Least squares of the measured rises over the model's.
struct Fit {
  double products = 0.0;
  double squares = 0.0;

  double factor() const { return squares > 0.0 ? products / squares : 0.0; }
};

Fit fit(const MeasuredGroup& group, const std::map<std::string, LossCurve>& model,
        double baseline) {
  Fit result;
  for (const SensitivityPoint& point : group.points) {
    double rise = 0.0;
    for (const std::string& member : group.members) {
      const LossCurve& curve = model.at(member);
      rise += curve.rise(point.relative_error) - curve.rise(point.context_error);
    }
    result.products += rise * (point.quality - baseline);
    result.squares += rise * rise;
  }
  return result;
}

// The factor of all groups together.
double typical_factor(const std::vector<MeasuredGroup>& groups,
                      const std::map<std::string, LossCurve>& model, double baseline) {
  Fit total;
  for (const MeasuredGroup& group : groups) {
    const Fit one = fit(group, model, baseline);
    if (one.products > 0.0) {  // one that improves the score says nothing about the others
      total.products += one.products;
      total.squares += one.squares;
    }
  }
  return total.factor();
}

}  // namespace

std::map<std::string, LossCurve> fit_loss_curves(const std::vector<ParameterSpec>& specs,
                                                 const SensitivityCurves* curves) {
  std::map<std::string, LossCurve> model;
  for (const ParameterSpec& spec : specs) {
    if (is_weight(spec)) {
      model[spec.name] = {static_cast<double>(element_count(spec.shape))};
    }
  }
  if (curves == nullptr) {
    return model;
  }
  const std::vector<MeasuredGroup> groups = measured_groups(specs, *curves);
  const double overall = typical_factor(groups, model, curves->baseline);
  if (!(overall > 0.0)) {
    return model;
  }
  for (auto& [name, curve] : model) {
    curve.alpha *= overall;
  }
  for (const MeasuredGroup& group : groups) {
    if (group.points.empty()) {
      continue;
    }
    const double typical = typical_factor(groups, model, curves->baseline);
    const double least = kLeastFactor * std::max(typical, kLeastFactor);
    const double factor = std::max(fit(group, model, curves->baseline).factor(), least);
    for (const std::string& member : group.members) {
      model.at(member).alpha *= factor;
    }
  }
  for (const ParameterSpec& spec : specs) {
    if (is_weight(spec)) {
      double& alpha = model.at(spec.name).alpha;
      alpha =
          std::max(alpha, kLeastFactor * overall * static_cast<double>(element_count(spec.shape)));
    }
  }
  return model;
}

}  // namespace ltz::compress
