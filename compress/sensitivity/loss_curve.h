#pragma once

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "compress/sensitivity/sensitivity.h"
#include "model/checkpoint/checkpoint.h"

namespace ltz::compress {

// What a tensor costs the model: rise of the loss = alpha * (relative squared error)^kExponent.
//
// For small damage to one tensor the loss is about linear in the relative error (Malinovskii et
// al., "Pushing the Limits of Large Language Model Quantization via the Linearity Theorem" (HIGGS),
// 2024). But all tensors are damaged at the same time and make each other's damage worse, so that
// what is added last costs more: measured on trained models, plans by exponents from 1.5 to 2 lose
// a third less than plans by 1.
struct LossCurve {
  static constexpr double kExponent = 5.0 / 3.0;

  double alpha = 0.0;

  double rise(double error) const { return alpha * std::pow(error, kExponent); }
  double slope(double error) const { return alpha * kExponent * std::pow(error, kExponent - 1.0); }
};

// The curve of every matrix and table by name. A tensor's alpha is its number of elements times one
// factor for each measured group that it is in; a group's factor makes the model's rise for the
// whole group, as it stands when its turn comes, what was measured (least squares over the group's
// points; those of pruning, or those of quantization if there are none). With the groups of
// sensitivity_groups this is a two-way model, kind of matrix x layer: fifty measurements of many
// weights each, far above the noise, tell more than hundreds of single tensors, and catch what
// tensors do to each other.
//
// No factor is below a sixth of the typical one at its turn, and no alpha below a sixth of what is
// typical for its elements: by chance a damaged group can improve the score, and would otherwise be
// pruned away. Without curves, or with curves that know of no loss at all, alpha is the number of
// elements. curves: may be null.
std::map<std::string, LossCurve> fit_loss_curves(const std::vector<ParameterSpec>& specs,
                                                 const SensitivityCurves* curves);

}  // namespace ltz::compress
