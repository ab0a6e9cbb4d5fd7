#include "compress/training/trained_tensor.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "model/base/error.h"
#include "tests/support/trained_example.h"

using namespace ltz;
using namespace ltz::compress;

namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

}  // namespace

TEST_CASE("pruned weights stay zero, whatever their gradients are") {
  const std::vector<float> start = {0.5f, 0.0f, -0.25f, 0.0f};
  TrainedTensor trained(dense_tensor({2, 2}, start), Role::kMatrix);
  CHECK(values_of(trained, 4) == start);
  CHECK(trained.squared_gradient_norm(std::vector<float>{3.0f, 100.0f, 4.0f, kNaN}) == 25.0);
  for (int i = 0; i < 3; ++i) {
    trained.step(std::vector<float>{1.0f, 100.0f, -1.0f, kNaN}, {.learning_rate = 0.125});
  }
  const std::vector<float> values = values_of(trained, 4);
  CHECK(values[0] == Approx(0.125));
  CHECK(values[2] == Approx(0.125));
  CHECK(mask_of(values) == mask_of(start));
  CHECK(trained.tensor() == dense_tensor({2, 2}, values));
}

TEST_CASE("zeros of biases and gains are trained") {
  for (const Role role : {Role::kBias, Role::kGain}) {
    TrainedTensor trained(dense_tensor({2}, {0.0f, 1.0f}), role);
    trained.step(std::vector<float>{1.0f, 1.0f}, {.learning_rate = 0.125});
    CHECK(values_of(trained, 2)[0] == Approx(-0.125));
  }
}

TEST_CASE("a trained tensor is saved in the precision that it had") {
  for (const Precision precision :
       {Precision::kFloat32, Precision::kFloat16, Precision::kBFloat16}) {
    TrainedTensor trained(dense_tensor({3}, {0.5f, 0.0f, 1.0f}, precision), Role::kMatrix);
    trained.step(std::vector<float>{0.3f, 1.0f, -1.0f}, {.learning_rate = 1.0 / 300.0});
    const std::vector<float> values = values_of(trained, 3);
    const Tensor tensor = trained.tensor();
    const auto& saved = std::get<DenseValues>(tensor.data);
    CHECK(saved.precision == precision);
    const float distance = precision == Precision::kFloat32   ? 0.0f
                           : precision == Precision::kFloat16 ? 0x1p-11f
                                                              : 0x1p-8f;
    for (std::size_t i = 0; i < values.size(); ++i) {
      CHECK(std::abs(saved.values[i] - values[i]) <= distance);
    }
    CHECK(saved.values[1] == 0.0f);
    if (precision == Precision::kBFloat16) {  // 7 bits of fraction
      CHECK(std::remainder(saved.values[0], 0x1p-9f) == 0.0f);
    }
  }
}

TEST_CASE("the gradient is scaled before Adam remembers it") {
  const Tensor start = dense_tensor({1}, {1.0f});
  TrainedTensor scaled(start, Role::kMatrix);
  TrainedTensor plain(start, Role::kMatrix);
  scaled.step(std::vector<float>{8.0f}, {.learning_rate = 0.1, .gradient_scale = 0.125});
  plain.step(std::vector<float>{1.0f}, {.learning_rate = 0.1});
  CHECK(scaled.state() == plain.state());
}

TEST_CASE("a state keeps what was pruned after it pruned") {
  TrainedTensor before(dense_tensor({2}, {1.0f, 2.0f}), Role::kMatrix);
  before.step(std::vector<float>{1.0f, 1.0f}, {.learning_rate = 0.125});
  TrainedTensor after(dense_tensor({2}, {0.0f, 2.0f}), Role::kMatrix);
  after.restore(before.state());
  CHECK(values_of(after, 2)[0] == 0.0f);
  CHECK(values_of(after, 2)[1] == values_of(before, 2)[1]);
  after.step(std::vector<float>{1.0f, 1.0f}, {.learning_rate = 0.125});
  CHECK(values_of(after, 2)[0] == 0.0f);
}

TEST_CASE("weights of least magnitude are pruned in training and stay so, also after a break") {
  const Tensor start = dense_tensor({4}, {0.5f, -0.25f, 0.0f, 1.0f});
  TrainedTensor trained(start, Role::kMatrix);
  const std::vector<float> gradient = {1.0f, 1.0f, 1.0f, -1.0f};
  trained.step(gradient, {.learning_rate = 0.0625});
  trained.weights()->prune(0.25);  // which it is already
  CHECK(mask_of(values_of(trained, 4)) == std::vector<std::uint8_t>{1, 1, 0, 1});
  trained.weights()->prune(0.5);
  CHECK(mask_of(values_of(trained, 4)) == std::vector<std::uint8_t>{1, 0, 0, 1});
  TrainedTensor resumed(start, Role::kMatrix);
  resumed.restore(trained.state());
  for (TrainedTensor* tensor : {&trained, &resumed}) {
    tensor->step(gradient, {.learning_rate = 0.0625});
    CHECK(values_of(*tensor, 4)[0] == Approx(0.375));
    CHECK(mask_of(values_of(*tensor, 4)) == std::vector<std::uint8_t>{1, 0, 0, 1});
  }
  CHECK(resumed.state() == trained.state());
  CHECK_THROWS_AS(trained.weights()->prune(1.5), ConfigError);
}

TEST_CASE("of equal weights no more are pruned in training than asked for") {
  TrainedTensor trained(dense_tensor({4}, {1.0f, -1.0f, 1.0f, 1.0f}), Role::kMatrix);
  trained.weights()->prune(0.25);
  CHECK(mask_of(values_of(trained, 4)) == std::vector<std::uint8_t>{0, 1, 1, 1});
  trained.weights()->prune(0.5);
  CHECK(mask_of(values_of(trained, 4)) == std::vector<std::uint8_t>{0, 0, 1, 1});
}

TEST_CASE("a codebook in training begins with the values that it had") {
  const Tensor start = scaled_codebook(20);
  const TrainedTensor trained(start, Role::kTable);
  CHECK(values_of(trained, 200) == start.values());
  CHECK(trained.tensor() == start);
}

TEST_CASE("the gradient of a centroid is the derivative of the loss") {
  constexpr std::size_t kSize = 200;
  const Tensor start = scaled_codebook(20);
  std::mt19937 random(2);
  const std::vector<float> targets = random_gradient(kSize, random);
  // Half of the squared distance from the targets.
  const auto loss = [&](const std::vector<float>& values) {
    double sum = 0.0;
    for (std::size_t i = 0; i < kSize; ++i) {
      sum += 0.5 * std::pow(static_cast<double>(values[i]) - targets[i], 2);
    }
    return sum;
  };
  std::vector<float> gradient = start.values();
  for (std::size_t i = 0; i < kSize; ++i) {
    gradient[i] -= targets[i];
  }
  TrainedTensor trained(start, Role::kMatrix);
  trained.step(gradient, {.learning_rate = 0.0});
  const std::vector<float> moments = trained.state()[1];  // after one update (1 - beta1) * gradient
  const auto& quantized = std::get<QuantizedValues>(start.data);
  for (std::size_t j = 0; j < quantized.centroids.size(); ++j) {
    const float difference = 0x1p-9f;
    Tensor up = start;
    Tensor down = start;
    std::get<QuantizedValues>(up.data).centroids[j] += difference;
    std::get<QuantizedValues>(down.data).centroids[j] -= difference;
    const double expected = quantized.centroids[j] == 0.0f
                                ? 0.0
                                : (loss(up.values()) - loss(down.values())) / (2.0 * difference);
    CHECK(moments[j] / 0.1 == Approx(expected).epsilon(1e-3));
  }
}

TEST_CASE("the gradient of a row's scale is the derivative of the loss by its logarithm") {
  const Tensor start = scaled_codebook(3);
  std::mt19937 random(2);
  const std::vector<float> gradient = random_gradient(30, random);
  TrainedTensor trained(start, Role::kTable);
  trained.step(gradient, {.learning_rate = 0.0, .gradient_scale = 0.5});
  const std::vector<float> moments = trained.state()[5];  // behind the four of the centroids
  REQUIRE(moments.size() == 3);
  const std::vector<float> values = start.values();
  for (std::size_t row = 0; row < 3; ++row) {
    double expected = 0.0;  // each weight of the row changes by itself
    for (std::size_t i = 10 * row; i < 10 * (row + 1); ++i) {
      expected += 0.5 * static_cast<double>(gradient[i]) * values[i];
    }
    CHECK(moments[row] / 0.1 == Approx(expected).epsilon(1e-3));
  }
}

TEST_CASE("training finds the scales of rows") {
  const Tensor start = scaled_codebook(20);
  Tensor target = start;
  auto& wanted_scales = std::get<QuantizedValues>(target.data).row_scales;
  for (std::size_t row = 0; row < wanted_scales.size(); ++row) {
    wanted_scales[row] = static_cast<std::uint8_t>(wanted_scales[row] + row % 7 - 3);
  }
  const std::vector<float> wanted = target.values();
  for (const bool free_codes : {false, true}) {
    TrainedTensor trained(start, Role::kTable, {}, {.free_codes = free_codes});
    for (int update = 0; update < 200; ++update) {
      std::vector<float> gradient = values_of(trained, 200);
      for (std::size_t i = 0; i < gradient.size(); ++i) {
        gradient[i] -= wanted[i];
      }
      trained.step(gradient, {.learning_rate = 1e-3 * (200 - update) / 200});
    }
    const Tensor found = trained.tensor();
    const auto& scales = std::get<QuantizedValues>(found.data).row_scales;
    for (std::size_t row = 0; row < scales.size(); ++row) {
      CHECK(std::abs(scales[row] - wanted_scales[row]) <= 1);
    }
    CHECK(scales != std::get<QuantizedValues>(start.data).row_scales);
  }
}

TEST_CASE("under fixed codes centroids and scales move, and the zero does not") {
  const Tensor start = scaled_codebook(20);
  TrainedTensor trained(start, Role::kMatrix);
  std::mt19937 random(3);
  for (int i = 0; i < 5; ++i) {
    trained.step(random_gradient(200, random), {.learning_rate = 0.01});
  }
  const Tensor tensor = trained.tensor();
  const auto& before = std::get<QuantizedValues>(start.data);
  const auto& after = std::get<QuantizedValues>(tensor.data);
  CHECK(after.codes == before.codes);
  CHECK(after.row_scales.size() == before.row_scales.size());
  for (std::size_t j = 0; j < before.centroids.size(); ++j) {
    CHECK((after.centroids[j] == before.centroids[j]) == (before.centroids[j] == 0.0f));
  }
  CHECK(mask_of(tensor.values()) == mask_of(start.values()));
}

TEST_CASE("a learning rate means the same movement of weights at any scale of the rows") {
  const std::vector<std::uint8_t> codes = {0, 1, 1, 0};
  for (const std::uint8_t scale : std::vector<std::uint8_t>{64, 128, 200}) {
    const Tensor start{{2, 2}, QuantizedValues{{-0.5f, 0.25f}, codes, {scale, scale}}};
    for (const bool free_codes : {false, true}) {
      TrainedTensor trained(start, Role::kMatrix, {}, {.free_codes = free_codes});
      trained.step(std::vector<float>(4, 1.0f), {.learning_rate = 1e-3 * row_scale(scale)});
      const std::vector<float> centroids = trained.state()[0];
      CHECK(centroids[0] == Approx(-0.501));
      CHECK(centroids[1] == Approx(0.249));
    }
  }
}

TEST_CASE("centroids that pass or meet each other make a valid codebook") {
  // Gradients that move the first centroid up by 0.5 and the last one down by 0.5.
  const Tensor start{{4}, QuantizedValues{{-0.25f, 0.0f, 0.125f, 0.25f}, {0, 1, 2, 3}}};
  TrainedTensor passed(start, Role::kMatrix);
  passed.step(std::vector<float>{-1.0f, 1.0f, 0.0f, 1.0f}, {.learning_rate = 0.5});
  CHECK(passed.tensor() ==
        Tensor{{4}, QuantizedValues{{-0.25f, 0.0f, 0.125f, 0.25f}, {3, 1, 2, 0}}});
  TrainedTensor met(start, Role::kMatrix);
  met.step(std::vector<float>{0.0f, 0.0f, 0.0f, 1.0f}, {.learning_rate = 0.125});
  CHECK(met.tensor() == Tensor{{4}, QuantizedValues{{-0.25f, 0.0f, 0.125f}, {0, 1, 2, 2}}});
}

TEST_CASE("a tensor without elements can be trained") {
  for (const Tensor& start :
       {dense_tensor({0, 3}, {}), Tensor{{0, 3}, QuantizedValues{{}, {}, {}}}}) {
    TrainedTensor trained(start, Role::kMatrix, {}, {.free_codes = true});
    CHECK(trained.squared_gradient_norm({}) == 0.0);
    trained.step({}, {.learning_rate = 0.1});
    trained.restore(trained.state());
    CHECK(trained.tensor() == start);
  }
}

TEST_CASE("the state of another tensor is rejected") {
  TrainedTensor dense(dense_tensor({2}, {1.0f, 2.0f}), Role::kMatrix);
  TrainedTensor larger(dense_tensor({3}, {1.0f, 2.0f, 3.0f}), Role::kMatrix);
  TrainedTensor fixed(scaled_codebook(2), Role::kMatrix);
  TrainedTensor free(scaled_codebook(2), Role::kMatrix, {}, {.free_codes = true});
  CHECK_THROWS_AS(dense.restore(larger.state()), ConfigError);
  CHECK_THROWS_AS(fixed.restore(free.state()), ConfigError);
  CHECK_THROWS_AS(free.restore(fixed.state()), ConfigError);
}
