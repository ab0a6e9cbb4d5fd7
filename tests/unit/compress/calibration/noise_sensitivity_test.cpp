#include "compress/calibration/noise_sensitivity.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "compress/calibration/calibration.h"
#include "model/base/error.h"
#include "model/checkpoint/parameter_names.h"
#include "tests/support/tiny_calibration.h"
#include "tests/support/tiny_checkpoint.h"

using namespace ltz;
using namespace ltz::compress;

namespace {

const std::string kName = "encoder.layers.0.fc1.weight";

std::map<std::string, InputMoments> moments_of_one(const Checkpoint& checkpoint) {
  Transformer model(checkpoint);
  return {{kName, all_moments(model, tiny_text()).at(kName)}};
}

// Of one row and its bias: mean over inputs of ((w - q) x + b - d)^2.
double row_error(const Checkpoint& checkpoint, const Replacements& replacements,
                 const InputMoments& inputs, std::size_t row) {
  const std::string bias = bias_of(kName);
  const auto columns = static_cast<std::size_t>(inputs.columns());
  const auto count = static_cast<double>(inputs.count);
  const double shift =
      replacements.at(bias).values()[row] - checkpoint.tensors.at(bias).values()[row];
  std::vector<double> change;
  for (std::size_t i = row * columns; i < (row + 1) * columns; ++i) {
    change.push_back(replacements.at(kName).values()[i] - checkpoint.tensors.at(kName).values()[i]);
  }
  double error = shift * shift;
  for (std::size_t i = 0; i < columns; ++i) {
    error += 2.0 * shift * change[i] * inputs.sum[i] / count;
    for (std::size_t j = 0; j < columns; ++j) {
      error += change[i] * inputs.second[i * columns + j] / count * change[j];
    }
  }
  return error;
}

}  // namespace

TEST_CASE("the sensitivity is the quality of an error of one") {
  const Checkpoint checkpoint = tiny_checkpoint(4);
  const auto moments = moments_of_one(checkpoint);
  // A quality that is three times the error in the layer's outputs.
  const Quality quality = [&](const Replacements& replacements) {
    double error = 0.0;
    for (std::size_t row = 0; row < 12; ++row) {
      error += row_error(checkpoint, replacements, moments.at(kName), row);
    }
    return 3.0 * error;
  };
  std::size_t calls = 0;
  const auto found = noise_sensitivity(checkpoint, moments, {}, quality, {},
                                       [&](std::size_t done, std::size_t total) {
                                         ++calls;
                                         CHECK(done == 1);
                                         CHECK(total == 1);
                                       });
  CHECK(found.at(kName) == Approx(3.0).epsilon(0.5));  // one draw of few weights
  CHECK(calls == 1);
  // Noise that does good is no reason for a negative price.
  CHECK(noise_sensitivity(checkpoint, moments, {}, [](const Replacements&) {
          return -1.0;
        }).at(kName) == 0.0);
  CHECK_THROWS_WITH(
      noise_sensitivity(checkpoint, moments, {}, [](const Replacements&) { return std::nan(""); }),
      Catch::Contains(kName));
}

TEST_CASE("rows of less weight get more noise") {
  const Checkpoint checkpoint = tiny_checkpoint(5);
  const auto moments = moments_of_one(checkpoint);
  const auto errors = [&](const RowWeights& weights) {
    std::vector<double> found;
    noise_sensitivity(checkpoint, moments, weights, [&](const Replacements& replacements) {
      for (std::size_t row = 0; row < 12; ++row) {
        found.push_back(row_error(checkpoint, replacements, moments.at(kName), row));
      }
      return 0.0;
    });
    return found;
  };
  std::vector<double> weights(12, 1.0);
  weights[3] = 0.01;
  const std::vector<double> even = errors({});
  const std::vector<double> uneven = errors({{kName, weights}});
  CHECK(uneven[3] / uneven[2] == Approx(100.0 * even[3] / even[2]).epsilon(0.01));
  CHECK(uneven[5] / uneven[2] == Approx(even[5] / even[2]).epsilon(0.01));
}

TEST_CASE("a matrix of zeros is not sensitive") {
  Checkpoint checkpoint = tiny_checkpoint(6);
  Tensor& tensor = checkpoint.tensors.at(kName);
  tensor = dense_tensor(tensor.shape, std::vector<float>(static_cast<std::size_t>(tensor.size())));
  const auto moments = moments_of_one(checkpoint);
  const auto found =
      noise_sensitivity(checkpoint, moments, {}, [](const Replacements&) { return 1.0; });
  CHECK(found.at(kName) == 0.0);
}
