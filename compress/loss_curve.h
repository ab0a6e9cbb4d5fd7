#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "compress/sensitivity.h"
#include "model/checkpoint.h"

namespace ltz::compress {

// What a tensor costs the model: rise of the loss over the relative squared error of the tensor, a
// convex line from (0, 0) with a kink between the segments. Segment i reaches up to ends[i] and
// rises by slopes[i]; the last one goes on. Both: (m), m >= 1, ascending; slopes are positive.
struct LossCurve {
  std::vector<double> ends;
  std::vector<double> slopes;

  // The rise at this relative error.
  double rise(double relative_error) const;
};

// Least squares fit of rise = alpha * relative error over the measured points of one tensor.
// Malinovskii et al., "Pushing the Limits of Large Language Model Quantization via the Linearity
// Theorem" (HIGGS), 2024: the loss is linear in the relative error while it is small, so the fit
// takes points up to 0.25, or the smallest one if there is none. 0 without a point.
// points: of one tensor. baseline: quality without damage.
double linear_slope(std::span<const SensitivityPoint> points, double baseline);

// The greatest convex line from (0, 0) under the measured points, so that linear curves stay linear
// and noise that would make more damage look better is averaged out. No slope is below `floor`,
// which must be positive and is the only slope without a point.
LossCurve fit_loss_curve(std::span<const SensitivityPoint> points, double baseline, double floor);

// The curve of every matrix and table by name, from its pruning points, or from its quantization
// points if it has none. A quarter of the median linear slope of the tensor's group (group_name) is
// the floor: by chance a few of a hundred tensors improve the score when damaged, and would
// otherwise be pruned away; the floor lets the threshold be at most twice the typical one. A tensor
// that was not measured has the median itself. Without curves, or with curves that know of no loss
// at all, the slope is the number of elements, for which the planned thresholds are the same
// multiple of every tensor's standard deviation. curves: may be null.
std::map<std::string, LossCurve> fit_loss_curves(const std::vector<ParameterSpec>& specs,
                                                 const SensitivityCurves* curves);

}  // namespace ltz::compress
