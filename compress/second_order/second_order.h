#pragma once

#include <span>
#include <string_view>

#include "compress/calibration/input_moments.h"
#include "model/checkpoint/tensor.h"

namespace ltz::compress {

enum class CodebookStart { kUniform, kKMeans };

// "uniform", "k-means".
std::string_view to_string(CodebookStart start);

struct SecondOrderOptions {
  double lambda = 0.0;  // error (below) that a bit is worth; more than 0
  // Fraction of lambda charged per bit when choosing a code. Such choices all lean towards zero,
  // and errors that lean together cost more than is counted: at equal size of the WMT En-Fr model
  // at 2 bits per weight, 0.7, 0.35, 0.17 and 0.08 give divergences of 0.0122, 0.0111, 0.0099 and
  // 0.0101 nats; at 3 bits of the Multi30k model, where fewer become zero, the first three do
  // alike.
  double rate_share = 0.25;
  // Added to the diagonal of H, as a fraction of its mean (Frantar et al. 2022, section 3.3).
  double damping = 0.01;
  int passes = 3;  // over all columns with error feedback; each takes its rates from the one before
  int sweeps = 2;  // of coordinate descent afterwards
  // The layer has a bias, which will take up the mean of the error.
  bool centred = false;
  // (rows): how much a row's error counts, more than 0; empty: all 1.
  std::span<const double> row_weights = {};
  // Rows get scales, so that those of less weight have a coarser grid. At high rates that is the
  // best that can be done: as much loss for a bit in all rows.
  bool scale_rows = false;
  bool refit = true;         // centroids move
  bool k_means_too = false;  // K-means cells compete with the uniform grid
};

struct SecondOrderResult {
  QuantizedValues values;  // centroids: float16
  CodebookStart start = CodebookStart::kUniform;
  double error = 0.0;  // mean over inputs of ||(W - Q) x||^2, without the mean if centred
  double bits = 0.0;   // of all codes, as CodeRates has it
};

// Rounds a matrix to a codebook so that the layer's outputs change as little as possible for
// the bits that the codes take: minimises error + lambda * bits, where
// error = tr((W - Q) H (W - Q)^T) and H = mean of x x^T.
//
// 1. The codebook is a uniform grid, or K-means cells made entropy-constrained.
// 2. Column by column, those of large H_ii first, with the error of each fed to the columns that
//    are still to come through the Cholesky factor U of H^-1 (GPTQ, Frantar et al. 2022): the cost
//    of a choice q is (w - q)^2 / U_ii^2 + rate_share * lambda * bits(q) (CERWU, 2025, without its
//    gamma). The rates are those of the codes of the pass before. The rate term produces zeros, so
//    pruning comes for free.
// 3. Cyclic coordinate descent over the codes (LNQ; GuidedQuant 2025, section 4), which never
//    raises the objective at the given rates.
// 4. The centroids that fit the codes best, in closed form (the same), rounded to float16; zero
//    stays zero.
//
// weights: (rows, columns), row-major. moments: of the inputs, same columns. The same result for
// any number of threads. Throws ConfigError for a lambda that is not positive, for moments of
// another width or of no input, and for row weights of another number.
SecondOrderResult quantize_second_order(std::span<const float> weights, const InputMoments& moments,
                                        const SecondOrderOptions& options);

}  // namespace ltz::compress
