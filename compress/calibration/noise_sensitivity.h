#pragma once

#include <map>
#include <string>

#include "compress/calibration/input_moments.h"
#include "compress/sensitivity/sensitivity.h"
#include "model/base/progress.h"
#include "model/checkpoint/checkpoint.h"

namespace ltz::compress {

struct NoiseOptions {
  double relative_error = 0.02;  // of the layer's outputs
  std::uint64_t seed = 1;
};

// How much the model's output suffers from an error in a layer's outputs: quality divided by the
// error, for each of these matrices and tables. The error is what quantize_second_order() counts:
// the mean over inputs of ||(W - Q) x||^2, rows weighted. The loss is nearly proportional to it
// while it is small (HIGGS, Malinovskii et al. 2024, theorem 1): so it is measured with noise in
// one tensor at a time, which looks like what second-order rounding leaves; a bias takes up its
// mean.
//
// moments: of the inputs of every matrix that is wanted. row_weights: of tables, (rows); where
// there is one, rows of less weight get more noise. quality: of the model with these tensors in
// place of its own, 0 for the model itself, as the mean divergence of its distributions. Called
// in the order of the names. Throws ConfigError, naming the tensor, when
// a quality is not finite.
using RowWeights = std::map<std::string, std::vector<double>>;
std::map<std::string, double> noise_sensitivity(const Checkpoint& checkpoint,
                                                const std::map<std::string, InputMoments>& moments,
                                                const RowWeights& row_weights,
                                                const Quality& quality,
                                                const NoiseOptions& options = {},
                                                const Progress& on_tensor = {});

}  // namespace ltz::compress
