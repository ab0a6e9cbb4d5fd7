#pragma once

#include <span>

#include "compress/input_moments.h"
#include "model/tensor.h"

namespace ltz::compress {

struct SecondOrderOptions {
  double lambda = 0.0;  // error (below) that a bit is worth; more than 0
  // Of the grid's step that is best for this lambda at high rates. At 2 bits per weight a little
  // more is better: on the WMT En-Fr model, 0.8, 1 and 1.2 of it give divergences of 0.0065, 0.0059
  // and 0.0057 nats at 2.22 bits.
  double step_scale = 1.2;
  // Added to the diagonal of H, as a fraction of its mean (Frantar et al. 2022, section 3.3).
  double damping = 0.01;
  int passes = 3;  // over all columns with error feedback; each takes its rates from the one before
  int sweeps = 2;  // of coordinate descent afterwards
  // The layer has a bias, which will take up the mean of the error.
  bool centred = false;
  // (rows): how much a row's error counts; empty: all 1.
  std::span<const double> row_weights = {};
};

struct SecondOrderResult {
  QuantizedValues values;  // centroids: some of the grid, moved to where they fit best, float16
  double error = 0.0;      // mean over inputs of ||(W - Q) x||^2, without the mean if centred
  double bits = 0.0;       // order-0 entropy of all codes
};

// Rounds a matrix to a uniform grid so that the layer's outputs change as little as possible for
// the bits that the codes take: minimises error + lambda * bits, where
// error = tr((W - Q) H (W - Q)^T) and H = mean of x x^T.
//
// 1. Column by column, those of large H_ii first, with the error of each fed to the columns that
//    are still to come through the Cholesky factor U of H^-1 (GPTQ, Frantar et al. 2022): the cost
//    of a choice q is (w - q)^2 / U_ii^2 + lambda * bits(q) (CERWU, 2025, without its gamma). The
//    rates are those of the codes of the pass before. Zeros come of the rate term: this prunes too.
// 2. Cyclic coordinate descent over the codes (LNQ; GuidedQuant 2025, section 4), which never
//    raises the objective at the given rates.
// 3. The centroids that fit the codes best, in closed form (the same), rounded to float16; zero
//    stays zero.
//
// weights: (rows, columns), row-major. moments: of the inputs, same columns. The same result for
// any number of threads. Throws ConfigError for a lambda that is not positive, for moments of
// another width or of no input, and for row weights of another number.
SecondOrderResult quantize_second_order(std::span<const float> weights, const InputMoments& moments,
                                        const SecondOrderOptions& options);

}  // namespace ltz::compress
