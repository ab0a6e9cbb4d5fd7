#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "compress/calibration/input_geometry.h"

namespace ltz::compress {

// The centroids that fit codes best, in closed form (LNQ; GuidedQuant 2025, section 4): of
// all values c it minimises the sum over rows of row_weights[r] (w_r - P_r c) H (w_r - P_r c)^T,
// where P_r says which column has which code: c = (sum P^T H P)^-1 sum P^T H w.
//
// weights: (rows, columns). slots: (rows, columns), the code of each weight, -1 for one whose value
// is zero and stays so. count: of codes. row_weights: (rows). Returns count values, of no
// meaning where no weight has the code. The same for any number of threads.
std::vector<double> fit_centroids(const Square& weights, std::span<const std::int16_t> slots,
                                  std::size_t count, const Square& h,
                                  std::span<const double> row_weights);

}  // namespace ltz::compress
