#include "compress/loss_curve.h"

#include <algorithm>
#include <utility>

namespace ltz::compress {

namespace {

constexpr double kLinearRegime = 0.25;
constexpr double kFloorOfMedian = 0.25;

std::vector<SensitivityPoint> points_of(const std::string& tensor, const SensitivityCurves& curves,
                                        Knob knob) {
  std::vector<SensitivityPoint> points;
  std::ranges::copy_if(curves.points, std::back_inserter(points), [&](const auto& point) {
    return point.tensor == tensor && point.knob == knob && point.relative_error > 0.0;
  });
  std::ranges::stable_sort(points, {}, &SensitivityPoint::relative_error);
  return points;
}

// Of the positive ones; 0 if there is none.
double median(std::vector<double> values) {
  std::erase_if(values, [](double value) { return !(value > 0.0); });
  if (values.empty()) {
    return 0.0;
  }
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

bool has_curve(const ParameterSpec& spec) {
  return spec.role == Role::kMatrix || spec.role == Role::kTable;
}

}  // namespace

double LossCurve::rise(double relative_error) const {
  double total = 0.0;
  double begin = 0.0;
  for (std::size_t i = 0; i < slopes.size(); ++i) {
    const double end = i + 1 < slopes.size() ? std::min(ends[i], relative_error) : relative_error;
    total += std::max(end - begin, 0.0) * slopes[i];
    begin = ends[i];
  }
  return total;
}

double linear_slope(std::span<const SensitivityPoint> points, double baseline) {
  double smallest = kLinearRegime;
  const auto first = std::ranges::min_element(points, {}, &SensitivityPoint::relative_error);
  if (first != points.end()) {
    smallest = std::max(smallest, first->relative_error);
  }
  double products = 0.0;
  double squares = 0.0;
  for (const SensitivityPoint& point : points) {
    if (point.relative_error <= smallest) {
      products += point.relative_error * (point.quality - baseline);
      squares += point.relative_error * point.relative_error;
    }
  }
  return squares > 0.0 ? products / squares : 0.0;
}

LossCurve fit_loss_curve(std::span<const SensitivityPoint> points, double baseline, double floor) {
  // Pool adjacent violators: while a segment is less steep than the one before, one segment takes
  // the place of both. What remains is the lower convex hull.
  struct Segment {
    double width;
    double rise;
    double slope() const { return rise / width; }
  };
  std::vector<SensitivityPoint> sorted(points.begin(), points.end());
  std::ranges::stable_sort(sorted, {}, &SensitivityPoint::relative_error);
  std::vector<Segment> segments;
  double error = 0.0;
  double rise = 0.0;
  for (const SensitivityPoint& point : sorted) {
    if (!(point.relative_error > error)) {
      continue;  // the same damage twice: one value is enough
    }
    Segment segment{point.relative_error - error, point.quality - baseline - rise};
    error = point.relative_error;
    rise = point.quality - baseline;
    while (!segments.empty() && segments.back().slope() >= segment.slope()) {
      segment.width += segments.back().width;
      segment.rise += segments.back().rise;
      segments.pop_back();
    }
    segments.push_back(segment);
  }
  LossCurve curve;
  double end = 0.0;
  for (const Segment& segment : segments) {
    end += segment.width;
    curve.ends.push_back(end);
    curve.slopes.push_back(std::max(segment.slope(), floor));
  }
  if (curve.slopes.empty()) {
    curve = {{1.0}, {floor}};
  }
  return curve;
}

std::map<std::string, LossCurve> fit_loss_curves(const std::vector<ParameterSpec>& specs,
                                                 const SensitivityCurves* curves) {
  std::map<std::string, std::vector<SensitivityPoint>> points;
  std::map<std::string, std::vector<double>> slopes_of_group;
  std::vector<double> slopes;
  for (const ParameterSpec& spec : specs) {
    if (curves == nullptr || !has_curve(spec)) {
      continue;
    }
    std::vector<SensitivityPoint> measured = points_of(spec.name, *curves, Knob::kSparsity);
    if (measured.empty()) {
      measured = points_of(spec.name, *curves, Knob::kBits);
    }
    slopes.push_back(linear_slope(measured, curves->baseline));
    slopes_of_group[group_name(spec)].push_back(slopes.back());
    points[spec.name] = std::move(measured);
  }
  const double overall = median(slopes);
  std::map<std::string, LossCurve> result;
  for (const ParameterSpec& spec : specs) {
    if (!has_curve(spec)) {
      continue;
    }
    if (overall == 0.0) {
      result[spec.name] = {{1.0}, {static_cast<double>(element_count(spec.shape))}};
      continue;
    }
    const double of_group = median(slopes_of_group[group_name(spec)]);
    const double typical = of_group > 0.0 ? of_group : overall;
    const std::vector<SensitivityPoint>& measured = points[spec.name];
    result[spec.name] = measured.empty()
                            ? LossCurve{{1.0}, {typical}}
                            : fit_loss_curve(measured, curves->baseline, kFloorOfMedian * typical);
  }
  return result;
}

}  // namespace ltz::compress
