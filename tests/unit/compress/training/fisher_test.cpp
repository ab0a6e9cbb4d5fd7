#include "compress/training/fisher.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

#include "model/base/error.h"
#include "model/decoding/scoring.h"
#include "model/training/training_loss.h"
#include "tests/support/thread_count.h"
#include "tests/support/tiny_calibration.h"
#include "tests/support/tiny_checkpoint.h"

namespace ltz::compress {
namespace {

// By finite differences: of one element, the mean over sentences of the squared slope of the
// sentence's negative log-likelihood.
double squared_slope(Checkpoint checkpoint, const EncodedText& text, const std::string& name,
                     std::size_t element) {
  constexpr float kStep = 0x1p-8f;
  const Tensor before = checkpoint.tensors.at(name);
  const auto losses = [&](float step) {
    std::vector<float> values = before.values();
    values[element] += step;
    checkpoint.tensors.at(name) = dense_tensor(before.shape, values);
    const Transformer model(checkpoint);
    std::vector<double> nats;
    for (std::size_t s = 0; s < text.source.size(); ++s) {
      nats.push_back(
          negative_log_likelihood(model, {&text.source[s], 1}, {&text.target[s], 1}).nats);
    }
    return nats;
  };
  const std::vector<double> behind = losses(-kStep);
  const std::vector<double> ahead = losses(kStep);
  double sum = 0.0;
  for (std::size_t s = 0; s < behind.size(); ++s) {
    sum += std::pow((ahead[s] - behind[s]) / (2.0 * kStep), 2);
  }
  return sum / static_cast<double>(behind.size());
}

}  // namespace

TEST_CASE("squared gradients are the mean over single sentences") {
  const Checkpoint checkpoint = tiny_checkpoint(3);
  const EncodedText text = tiny_text();
  const Transformer model(checkpoint);
  const Importance squares = squared_gradients(model, text);
  std::map<std::string, std::vector<double>> expected;
  for (std::size_t s = 0; s < text.source.size(); ++s) {
    Gradients gradients(checkpoint.config);
    backward(model, nullptr, {&text.source[s], 1}, {&text.target[s], 1}, {.label_smoothing = 0.0},
             gradients);
    for (const auto& [name, gradient] : gradients.values()) {
      std::vector<double>& sums = expected[name];
      sums.resize(gradient.size());
      for (std::size_t i = 0; i < gradient.size(); ++i) {
        sums[i] += std::pow(static_cast<double>(gradient[i]), 2) / 4.0;
      }
    }
  }
  REQUIRE(squares.size() == expected.size());
  for (const auto& [name, values] : squares) {
    CAPTURE(name);
    REQUIRE(values.size() == expected.at(name).size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      REQUIRE(values[i] == Approx(expected.at(name)[i]).epsilon(1e-4).margin(1e-12));
    }
  }
}

TEST_CASE("squared gradients agree with finite differences") {
  const Checkpoint checkpoint = tiny_checkpoint(3);
  const Importance squares = squared_gradients(Transformer(checkpoint), tiny_text());
  for (const auto& [name, values] : squares) {
    CAPTURE(name);
    const auto largest =
        static_cast<std::size_t>(std::ranges::max_element(values) - values.begin());
    CHECK(values[largest] ==
          Approx(squared_slope(checkpoint, tiny_text(), name, largest)).epsilon(0.05).margin(1e-6));
  }
}

TEST_CASE("squared gradients are the same for any number of threads") {
  const Transformer model(tiny_checkpoint(5));
  const auto squares = [&] { return squared_gradients(model, long_text()); };
  const Importance one = on_threads(1, squares);
  for (const int threads : {2, 3, 5}) {
    CHECK(on_threads(threads, squares) == one);
  }
}

TEST_CASE("squared gradients need sentences, and numbers") {
  Checkpoint checkpoint = tiny_checkpoint(1);
  CHECK_THROWS_AS(squared_gradients(Transformer(checkpoint), {}), ConfigError);
  CHECK_THROWS_AS(squared_gradients(Transformer(checkpoint), {.source = {{4, 2}}, .target = {}}),
                  ConfigError);
  Tensor& table = checkpoint.tensors.at(output_table(checkpoint.config));
  table = dense_tensor(table.shape, std::vector<float>(table.values().size(), 3e38f));
  CHECK_THROWS_WITH(squared_gradients(Transformer(checkpoint), tiny_text()),
                    Catch::Contains("tensor ") && Catch::Contains("not a finite number"));
}

TEST_CASE("the importance for K-means is positive and keeps the order") {
  const std::vector<float> importance = clustering_importance({0.0f, 3.0f, 0.0f, 1.0f});
  CHECK(*std::ranges::min_element(importance) > 0.0f);
  CHECK(importance[0] == importance[2]);
  CHECK(importance[1] - importance[0] == Approx(3.0f * (importance[3] - importance[0])));
  CHECK(clustering_importance({0.0f, 0.0f}) == std::vector<float>{1.0f, 1.0f});
  CHECK(clustering_importance({}).empty());
}

}  // namespace ltz::compress
