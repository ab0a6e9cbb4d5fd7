#pragma once

#include <span>
#include <vector>

#include "compress/calibration/input_geometry.h"
#include "compress/calibration/paired_reading.h"

namespace ltz::compress {

// The weights to round so that a layer of a compressed model comes closest to what it put out in
// the original: the layer sees inputs y, which had been x, and W* = W E[x y^T] E[y y^T]^-1 is the
// least-squares solution of W* y = W x (asymmetric calibration: GPTAQ, Li et al. 2025). Both
// matrices are damped alike, so that W* is W where nothing changed and where little is known.
//
// weights: (rows, columns), row-major. original: moments of x on the text that the pairs are of.
// options: see input_geometry; centred for a layer whose bias takes up the mean. Returns (rows,
// columns).
std::vector<float> original_targets(std::span<const float> weights, const InputMoments& original,
                                    const PairedMoments& pairs, const GeometryOptions& options);

}  // namespace ltz::compress
