#include "compress/sensitivity/prune.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <vector>

#include "model/base/error.h"

using namespace ltz;
using namespace ltz::compress;

namespace {

const float kNan = std::numeric_limits<float>::quiet_NaN();
const float kInfinity = std::numeric_limits<float>::infinity();

std::vector<float> pruned_values(const std::vector<float>& weights, double target) {
  const Tensor tensor = dense_tensor({static_cast<std::int64_t>(weights.size())}, weights);
  return prune(tensor, threshold_for_sparsity(SortedValues(weights), target)).values();
}

}  // namespace

TEST_CASE("pruning zeros exactly the requested number of weights when none are tied") {
  const std::vector<float> weights{0.5f, -0.1f, 0.3f, -0.7f, 0.2f, 0.9f, -0.4f};
  for (int count = 0; count <= 7; ++count) {
    CHECK(sparsity(pruned_values(weights, count / 7.0)) == Approx(count / 7.0));
  }
  CHECK(pruned_values(weights, 3.0 / 7.0) ==
        std::vector<float>{0.5f, 0.0f, 0.0f, -0.7f, 0.0f, 0.9f, -0.4f});
}

TEST_CASE("of equal weights the first are pruned, and only as many as asked for") {
  const Tensor constant = dense_tensor({2, 2}, {3.0f, -3.0f, 3.0f, 3.0f});
  CHECK(prune_smallest(constant, 0) == constant);
  CHECK(prune_smallest(constant, 1).values() == std::vector<float>{0.0f, -3.0f, 3.0f, 3.0f});
  CHECK(prune_smallest(constant, 3).values() == std::vector<float>{0.0f, 0.0f, 0.0f, 3.0f});
  CHECK(sparsity(prune_smallest(constant, 4).values()) == 1.0);
  const Tensor quantized{{5}, QuantizedValues{{-1.0f, 1.0f, 2.0f}, {2, 1, 0, 1, 0}}};
  CHECK(prune_smallest(quantized, 2).values() == std::vector<float>{2.0f, 0.0f, 0.0f, 1.0f, -1.0f});
  // Zeros are the first to count; without ties it is what a threshold does.
  CHECK(prune_smallest(dense_tensor({3}, {1.0f, 0.0f, 1.0f}), 2).values() ==
        std::vector<float>{0.0f, 0.0f, 1.0f});
  const Tensor different = dense_tensor({4}, {0.5f, -0.1f, 0.3f, -0.7f});
  for (std::size_t count = 0; count <= 4; ++count) {
    const float threshold =
        threshold_for_sparsity(SortedValues(different.values()), static_cast<double>(count) / 4.0);
    CHECK(prune_smallest(different, count) == prune(different, threshold));
  }
  CHECK(count_for_sparsity(128, 0.01) == 1);
  CHECK(count_for_sparsity(10, 0.25) == 3);
}

TEST_CASE("weights tied at a threshold are pruned all together") {
  CHECK(pruned_values({1.0f, -1.0f, 2.0f, 1.0f}, 0.25) ==
        std::vector<float>{0.0f, 0.0f, 2.0f, 0.0f});
  CHECK(sparsity(pruned_values({3.0f, 3.0f, 3.0f}, 0.4)) == 1.0);
}

TEST_CASE("no sparsity changes nothing, and zeros count as pruned already") {
  CHECK(threshold_for_sparsity(SortedValues(std::vector<float>{1.0f, 2.0f}), 0.0) == 0.0f);
  CHECK(pruned_values({0.0f, 0.0f, 1.0f, 2.0f}, 0.5) == std::vector<float>{0.0f, 0.0f, 1.0f, 2.0f});
}

TEST_CASE("empty and single weights") {
  CHECK(threshold_for_sparsity(SortedValues(std::span<const float>()), 0.5) == 0.0f);
  CHECK(standard_deviation({}) == 0.0f);
  CHECK(prune(dense_tensor({0}, {}), 1.0f).size() == 0);
  CHECK(pruned_values({-2.0f}, 1.0) == std::vector<float>{0.0f});
  CHECK(standard_deviation(std::vector<float>{5.0f}) == 0.0f);
}

TEST_CASE("the standard deviation is that of the population") {
  CHECK(standard_deviation(std::vector<float>{1.0f, 3.0f}) == 1.0f);
  CHECK(standard_deviation(std::vector<float>{7.0f, 7.0f, 7.0f}) == 0.0f);
}

TEST_CASE("pruning keeps the precision of dense tensors and decodes codebooks") {
  const Tensor half = dense_tensor({2}, {0.5f, 2.0f}, Precision::kFloat16);
  CHECK(prune(half, 1.0f) == dense_tensor({2}, {0.0f, 2.0f}, Precision::kFloat16));
  const Tensor quantized{{3}, QuantizedValues{{-1.0f, 2.0f}, {1, 0, 1}}};
  CHECK(prune(quantized, 1.0f) == dense_tensor({3}, {2.0f, 0.0f, 2.0f}));
}

TEST_CASE("pruning makes positive zeros only") {
  CHECK_FALSE(std::signbit(prune(dense_tensor({1}, {-0.5f}), 1.0f).values()[0]));
}

TEST_CASE("pruning refuses weights that are not finite and sparsities out of range") {
  for (const float bad : {kNan, kInfinity, -kInfinity}) {
    const std::vector<float> weights{1.0f, bad};
    CHECK_THROWS_AS(threshold_for_sparsity(SortedValues(weights), 0.5), ConfigError);
    CHECK_THROWS_AS(standard_deviation(weights), ConfigError);
    CHECK_THROWS_AS(prune(dense_tensor({2}, weights), 0.5f), ConfigError);
    CHECK_THROWS_AS(prune_smallest(dense_tensor({2}, weights), 1), ConfigError);
  }
  for (const double bad : {-0.1, 1.1, static_cast<double>(kNan)}) {
    CHECK_THROWS_AS(threshold_for_sparsity(SortedValues(std::vector<float>{1.0f}), bad),
                    ConfigError);
  }
}
