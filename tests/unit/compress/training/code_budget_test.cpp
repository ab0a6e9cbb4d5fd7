#include "compress/training/code_budget.h"

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <functional>

#include "formats/entropy/context_coder.h"
#include "tests/support/thread_count.h"
#include "tests/support/trained_example.h"

using namespace ltz;
using namespace ltz::compress;

namespace {

// With the weights that were quantized here and there in the cells of their codes.
TrainedCodebook free_codebook(const Tensor& start) {
  std::mt19937 random(2);
  std::vector<float> original = start.values();
  for (float& weight : original) {
    weight += 0.125f * symmetric_uniform(random);
  }
  return {start.shape, std::get<QuantizedValues>(start.data), original, {}};
}

TrainedCodebook free_codebook(std::size_t rows, std::size_t columns) {
  return free_codebook(scaled_codebook(rows, columns));
}

double coded_bits(const TrainedCodebook& codebook) {
  return ltz::coded_bits(codebook.tensor());
}

// Sixty updates of the mean squared difference; with a target, bits are held at it.
void train_towards(const std::vector<float>& wanted, double learning_rate,
                   TrainedCodebook& codebook, double target_bits = 0.0) {
  for (int update = 1; update <= 60; ++update) {
    std::vector<float> gradient(wanted.size());
    codebook.values(gradient);
    std::ranges::transform(gradient, wanted, gradient.begin(), std::minus());
    codebook.step(gradient, {.learning_rate = learning_rate});
    if (target_bits > 0.0 && update % 5 == 0) {
      hold_code_bits(std::array{&codebook}, target_bits);
    }
  }
}

}  // namespace

TEST_CASE("the price of a bit is found that makes as many bits as wanted") {
  const auto bits_at = [](float factor) { return 1000.0 - 300.0 * std::log2(factor); };
  CHECK(bits_at(price_factor_for(900.0, 1.0f, bits_at)) == Approx(900.0).epsilon(1e-3));
  CHECK(bits_at(price_factor_for(1100.0, 1.0f, bits_at)) == Approx(1100.0).epsilon(1e-3));
  // What is close enough stays.
  CHECK(price_factor_for(1000.5, 1.0f, bits_at) == 1.0f);
  // However far it is from the current one.
  CHECK(bits_at(price_factor_for(-1500.0, 0.02f, bits_at)) == Approx(-1500.0).epsilon(1e-3));
  CHECK(bits_at(price_factor_for(2500.0, 900.0f, bits_at)) == Approx(2500.0).epsilon(1e-3));
  // Out of reach.
  CHECK(price_factor_for(-1e4, 1.0f, bits_at) == Approx(0x1p10f).epsilon(0.01));
  CHECK(price_factor_for(1e4, 1.0f, bits_at) == Approx(0x1p-6f).epsilon(0.01));
  CHECK(price_factor_for(2.0, 0x1p-6f, [](float /*factor*/) { return 1.0; }) == 0x1p-6f);
}

TEST_CASE("what is counted is about what the coder of the format writes") {
  for (const auto& [rows, columns] : {std::pair(500, 400), std::pair(300, 200)}) {
    Tensor tensor =
        scaled_codebook(static_cast<std::size_t>(rows), static_cast<std::size_t>(columns));
    auto& codes = std::get<QuantizedValues>(tensor.data).codes;
    for (const int every : {1, 2}) {  // then with every other row all zeros
      for (std::size_t i = 0; i < codes.size(); ++i) {
        codes[i] = i / static_cast<std::size_t>(columns) % every == 0 ? codes[i] : 3;
      }
      const auto bytes = formats::context_encode(codes, {static_cast<std::size_t>(columns), 7, 3});
      CHECK(ltz::coded_bits(tensor) ==
            Approx(8.0 * static_cast<double>(bytes.size())).epsilon(0.03));
    }
  }
}

TEST_CASE("codes keep their bits where training would want more") {
  // It wants codes that are more as frequent as each other.
  Tensor target = scaled_codebook(500, 400);
  std::mt19937 random(3);
  for (std::uint8_t& code : std::get<QuantizedValues>(target.data).codes) {
    code = static_cast<std::uint8_t>(std::clamp(code + static_cast<int>(random() % 5) - 2, 0, 6));
  }
  const std::vector<float> wanted = target.values();
  TrainedCodebook codebook = free_codebook(500, 400);
  const double start = coded_bits(codebook);
  CHECK(code_bits(std::array{&codebook}) == Approx(start));
  for (const double learning_rate : {6e-3, 1e-2, 2e-2}) {
    codebook = free_codebook(500, 400);
    train_towards(wanted, learning_rate, codebook);
    CHECK(coded_bits(codebook) > 1.03 * start);
    codebook = free_codebook(500, 400);
    train_towards(wanted, learning_rate, codebook, start);
    CHECK(coded_bits(codebook) == Approx(start).epsilon(0.002));
  }
}

TEST_CASE("bits are counted row by row") {
  // Every other row is nearly all zeros at first. Training fills it at the expense of the others:
  // single codes stay as frequent as they were, but rows can be told apart less.
  Tensor uneven = scaled_codebook(400, 300);
  std::vector<std::uint8_t>& codes = std::get<QuantizedValues>(uneven.data).codes;
  std::mt19937 random(5);
  for (std::size_t i = 0; i < codes.size(); ++i) {
    if (i / 300 % 2 == 0) {
      codes[i] = random() % 4 == 0 ? (random() % 2 == 0 ? 2 : 4) : 3;
    }
  }
  Tensor even = uneven;
  std::vector<std::uint8_t>& mixed = std::get<QuantizedValues>(even.data).codes;
  for (std::size_t i = 0; i < mixed.size(); ++i) {
    if (i / 300 % 2 == 0 && random() % 2 == 0) {
      std::swap(mixed[i], mixed[i + 300]);
    }
  }
  CHECK(coded_bits(uneven) < 0.9 * coded_bits(even));
  for (const double learning_rate : {5e-4, 2e-3, 4e-3, 8e-3, 2e-2}) {
    TrainedCodebook codebook = free_codebook(uneven);
    const double start = coded_bits(codebook);
    train_towards(even.values(), learning_rate, codebook, start);
    CHECK(coded_bits(codebook) == Approx(start).epsilon(0.002));
  }
}

TEST_CASE("codes come down to fewer bits step by step") {
  for (const double learning_rate : {5e-4, 2e-3, 6e-3, 1e-2}) {
    for (const double fraction : {0.95, 0.8, 0.5}) {
      TrainedCodebook codebook = free_codebook(500, 400);
      const double start = coded_bits(codebook);
      std::mt19937 random(3);
      for (int update = 1; update <= 60; ++update) {
        codebook.step(random_gradient(200'000, random), {.learning_rate = learning_rate});
        if (update % 5 == 0) {
          hold_code_bits(std::array{&codebook},
                         start * (1.0 + std::min(1.0, update / 30.0) * (fraction - 1.0)));
        }
      }
      CHECK(coded_bits(codebook) == Approx(fraction * start).epsilon(0.002));
    }
  }
}

TEST_CASE("bits that are free of charge are not held") {
  const Tensor start = scaled_codebook(2);
  const auto& quantized = std::get<QuantizedValues>(start.data);
  CHECK(!TrainedCodebook(start.shape, quantized).priced());
  CHECK(!TrainedCodebook(start.shape, quantized, {}, {.rate_weight = 0.0}).priced());
  CHECK(TrainedCodebook(start.shape, quantized, {}, {}).priced());
  hold_code_bits({}, 0.0);
  CHECK(code_bits({}) == 0.0);
}

TEST_CASE("a code that no weight has can come back after it was counted") {
  const std::vector<float> centroids = {-1.0f, 0.0f, 1.0f, 2.0f};
  std::vector<std::uint8_t> codes = {0, 1, 1, 1, 2, 2, 3, 1};
  FreeCodes free(codes, 1, centroids, {}, {});
  const auto move_last_but_one = [&](float gradient, int updates) {
    std::vector<float> gradients(8);
    gradients[6] = gradient;
    for (int i = 0; i < updates; ++i) {
      free.begin_step();
      free.step_part(0, gradients, 0.25);
      free.choose(centroids, 1.0f, codes);
      free.count(codes, centroids);
    }
    return codes[6];
  };
  CHECK(move_last_but_one(1.0f, 12) == 0);
  CHECK(move_last_but_one(-1.0f, 40) == 3);
}

TEST_CASE("held bits are the same for any number of threads, and after a break") {
  TrainedCodebook one = free_codebook(1'000, 300);
  TrainedCodebook three = one;
  const double target = 0.95 * coded_bits(one);
  std::mt19937 random(4);
  for (int update = 0; update < 4; ++update) {
    const std::vector<float> gradient = random_gradient(300'000, random);
    const auto update_on = [&](int threads, TrainedCodebook& codebook) {
      const ThreadCount guard(threads);
      codebook.step(gradient, {.learning_rate = 0.02});
      hold_code_bits(std::array{&codebook}, target);
    };
    update_on(1, one);
    update_on(3, three);
    TrainedCodebook resumed = free_codebook(1'000, 300);
    resumed.restore(three.state());
    CHECK(resumed.price_factor() == three.price_factor());
    three = resumed;
  }
  CHECK(one.state() == three.state());
  CHECK(one.tensor() == three.tensor());
  CHECK(one.price_factor() != 1.0f);
}
