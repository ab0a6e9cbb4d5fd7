#include <catch2/catch.hpp>
#include <cmath>

#include "compress/codebooks/quantize.h"
#include "model/base/error.h"
#include "tests/support/thread_count.h"
#include "tests/support/trained_example.h"

using namespace ltz;
using namespace ltz::compress;

namespace {

TrainedTensorOptions free_codes(double rate_weight, double margin = 0.25) {
  return {.free_codes = true, .codes = {.rate_weight = rate_weight, .margin = margin}};
}

const QuantizedValues& quantized(const Tensor& tensor) {
  return std::get<QuantizedValues>(tensor.data);
}

// What QuantizedValues promises, and float16.
void check_valid(const Tensor& tensor) {
  const QuantizedValues& values = quantized(tensor);
  REQUIRE(static_cast<std::int64_t>(values.codes.size()) == tensor.size());
  std::vector<std::size_t> counts(values.centroids.size());
  for (const std::uint8_t code : values.codes) {
    REQUIRE(code < values.centroids.size());
    ++counts[code];
  }
  CHECK(std::ranges::count(counts, 0u) == 0);
  for (std::size_t j = 0; j < values.centroids.size(); ++j) {
    CHECK(round_to_float16(values.centroids[j]) == values.centroids[j]);
    CHECK((j == 0 || values.centroids[j - 1] < values.centroids[j]));
  }
}

}  // namespace

TEST_CASE("free codes begin as they were, whatever the original weights are") {
  const Tensor start = scaled_codebook(200);
  std::mt19937 random(1);
  std::vector<float> original = start.values();
  for (float& weight : original) {
    weight += 0.3f * symmetric_uniform(random);
  }
  const std::vector<float> nothing(2000);
  for (const double rate_weight : {0.0, 1.0, 2.0}) {
    for (const double margin : {0.0, 0.25, 1.0}) {
      for (const std::vector<float>& weights : {std::vector<float>(), original}) {
        TrainedTensor trained(start, Role::kMatrix, weights, free_codes(rate_weight, margin));
        CHECK(values_of(trained, 2000) == start.values());
        CHECK(trained.tensor() == start);
        // The codes are those of the latent weights, too.
        trained.step(nothing, {.learning_rate = 1.0});
        CHECK(values_of(trained, 2000) == start.values());
      }
    }
  }
}

TEST_CASE("latent weights start at the original ones where these are well inside of their cells") {
  const Tensor start{{1, 4}, QuantizedValues{{-1.0f, 0.0f, 1.0f}, {0, 1, 1, 2}, {136}}};  // x 2
  const std::vector<float> original = {-2.25f, 0.25f, 1.9f, 9.0f};
  const TrainedTensor trained(start, Role::kMatrix, original, free_codes(0.0));
  const std::vector<float> latents = trained.state()[4];
  CHECK(latents[0] == -1.125f);
  CHECK(latents[1] == 0.125f);
  CHECK(latents[2] == Approx(0.375));  // three quarters of the way to the border
  CHECK(latents[3] == Approx(1.375));  // as far outside
  CHECK_THROWS_AS(TrainedTensor(start, Role::kMatrix, std::vector<float>(3), free_codes(0.0)),
                  ConfigError);
}

TEST_CASE("options of free codes are checked") {
  const Tensor start = scaled_codebook(2);
  for (const TrainedTensorOptions& options :
       {free_codes(-1.0), free_codes(1.0, -0.5), free_codes(1.0, 1.5)}) {
    CHECK_THROWS_AS(TrainedTensor(start, Role::kMatrix, {}, options), ConfigError);
  }
}

TEST_CASE("straight-through gradients change codes in their direction") {
  const Tensor start{{1, 5}, QuantizedValues{{-1.0f, 0.0f, 1.0f}, {1, 1, 1, 0, 2}, {136}}};  // x 2
  TrainedTensor trained(start, Role::kMatrix, {}, free_codes(0.0));
  const std::vector<float> gradient = {-1.0f, 1.0f, 0.0f, 0.0f, 0.0f};
  trained.step(gradient, {.learning_rate = 0.9});
  CHECK(values_of(trained, 5) == start.values());  // 0.45 in units of the centroids
  trained.step(gradient, {.learning_rate = 0.9});
  CHECK(values_of(trained, 5) == std::vector<float>{2.0f, -2.0f, 0.0f, -2.0f, 2.0f});
}

TEST_CASE("training finds the codes of a target") {
  const Tensor start = scaled_codebook(20);
  Tensor target = start;
  std::mt19937 random(5);
  for (std::uint8_t& code : std::get<QuantizedValues>(target.data).codes) {
    code = static_cast<std::uint8_t>(random() % 7);
  }
  const std::vector<float> wanted = target.values();
  TrainedTensor trained(start, Role::kMatrix, {}, free_codes(0.0));
  const auto distance = [&](const std::vector<float>& values) {
    double sum = 0.0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      sum += std::pow(static_cast<double>(values[i]) - wanted[i], 2);
    }
    return sum;
  };
  const double before = distance(start.values());
  for (int update = 0; update < 300; ++update) {
    std::vector<float> gradient = values_of(trained, 200);
    for (std::size_t i = 0; i < gradient.size(); ++i) {
      gradient[i] -= wanted[i];
    }
    trained.step(gradient, {.learning_rate = 0.01 * (300 - update) / 300});
  }
  CHECK(distance(values_of(trained, 200)) < 0.02 * before);
}

TEST_CASE("a dearer bit makes frequent codes more frequent") {
  const Tensor start = scaled_codebook(200);
  std::vector<double> entropies;
  for (const double rate_weight : {0.0, 1.0, 10.0}) {
    TrainedTensor trained(start, Role::kMatrix, {}, free_codes(rate_weight));
    std::mt19937 random(6);
    for (int i = 0; i < 40; ++i) {
      trained.step(random_gradient(2000, random), {.learning_rate = 3e-3});
    }
    entropies.push_back(code_entropy(quantized(trained.tensor())));
  }
  CHECK(entropies[1] < entropies[0]);
  CHECK(entropies[2] < entropies[1]);
}

TEST_CASE("after any updates the codebook is valid and centroids have kept their signs") {
  for (const double rate : {1e-3, 0.1, 3.0}) {
    const Tensor start = scaled_codebook(20);
    TrainedTensor trained(start, Role::kMatrix, {}, free_codes(1.0));
    std::mt19937 random(8);
    for (int i = 0; i < 20; ++i) {
      std::vector<float> gradient = random_gradient(200, random);
      for (float& g : gradient) {
        g += i % 5 == 0 ? 1.0f : -0.2f;  // all centroids at once, across the zero
      }
      trained.step(gradient, {.learning_rate = rate});
      const Tensor tensor = trained.tensor();
      check_valid(tensor);
      CHECK(mask_of(tensor.values()) == mask_of(values_of(trained, 200)));
      const std::vector<float> centroids = trained.state()[0];
      CHECK(std::ranges::is_sorted(centroids));
      CHECK(std::ranges::find(centroids, 0.0f) - centroids.begin() == 3);
    }
  }
}

TEST_CASE("a codebook may have 256 centroids, or one") {
  for (const int count : {1, 2, 256}) {
    QuantizedValues values;
    for (int j = 0; j < count; ++j) {
      values.centroids.push_back(static_cast<float>(j) - 100.5f);
      values.codes.push_back(static_cast<std::uint8_t>(j));
    }
    const Tensor start{{count}, values};
    TrainedTensor trained(start, Role::kMatrix, {}, free_codes(1.0));
    std::mt19937 random(9);
    for (int i = 0; i < 5; ++i) {
      trained.step(random_gradient(values.codes.size(), random), {.learning_rate = 0.4});
      check_valid(trained.tensor());
    }
  }
}

TEST_CASE("training goes on from its state, on any number of threads") {
  const Tensor quantized_start = scaled_codebook(30'000);  // large enough to be shared
  const std::vector<float> plain = quantized_start.values();
  const Tensor dense_start = dense_tensor(quantized_start.shape, plain);
  for (const Tensor& start : {quantized_start, dense_start}) {
    for (const bool free : {false, true}) {
      const TrainedTensorOptions options{.free_codes = free};
      TrainedTensor one(start, Role::kMatrix, plain, options);
      TrainedTensor three(start, Role::kMatrix, plain, options);
      std::mt19937 random(10);
      for (int i = 0; i < 4; ++i) {
        const std::vector<float> gradient = random_gradient(plain.size(), random);
        const double norm = on_threads(1, [&] {
          const double squares = one.squared_gradient_norm(gradient);
          one.step(gradient, {.learning_rate = 0.02});
          return squares;
        });
        const ThreadCount guard(3);
        CHECK(three.squared_gradient_norm(gradient) == norm);
        three.step(gradient, {.learning_rate = 0.02});
        if (i == 1) {
          TrainedTensor resumed(start, Role::kMatrix, plain, options);
          resumed.restore(three.state());
          CHECK(values_of(resumed, plain.size()) == values_of(three, plain.size()));
          three = resumed;
        }
      }
      CHECK(one.state() == three.state());
      CHECK(one.tensor() == three.tensor());
      CHECK(values_of(one, plain.size()) == values_of(three, plain.size()));
    }
  }
}
