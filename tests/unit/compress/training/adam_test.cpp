#include "compress/training/adam.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <random>
#include <vector>

#include "model/base/error.h"
#include "tests/support/random_layer.h"
#include "tests/support/thread_count.h"

using namespace ltz;
using namespace ltz::compress;

TEST_CASE("the first two updates of Adam are those of the paper's algorithm") {
  // beta1 = 0.5, beta2 = 0.75, gradients 4 and 2: m = 2, v = 4, corrected 4 and 16, so that the
  // first update is the learning rate; then m = 2, v = 4, corrected 2 / 0.75 and 4 / 0.4375.
  Adam adam(1, {.beta1 = 0.5, .beta2 = 0.75, .epsilon = 0.0});
  std::vector<float> parameter = {1.0f};
  adam.step(parameter, std::vector<float>{4.0f}, 0.25);
  CHECK(parameter[0] == Approx(0.75));
  CHECK(adam.state() == AdamState{.first = {2.0f}, .second = {4.0f}, .updates = 1});
  adam.step(parameter, std::vector<float>{2.0f}, 0.25);
  CHECK(parameter[0] == Approx(0.75 - 0.25 * (2.0 / 0.75) / std::sqrt(4.0 / 0.4375)));
  CHECK(adam.state() == AdamState{.first = {2.0f}, .second = {4.0f}, .updates = 2});
}

TEST_CASE("Adam's epsilon is added to the corrected root") {
  Adam adam(1, {.epsilon = 3.0});
  std::vector<float> parameter = {0.0f};
  adam.step(parameter, std::vector<float>{-1.0f}, 1.0);
  CHECK(parameter[0] == Approx(1.0 / (1.0 + 3.0)));
}

TEST_CASE("without gradients Adam moves nothing and its moments end at zero") {
  Adam adam(2);
  std::vector<float> parameters = {0.0f, 1.0f};
  adam.step(parameters, std::vector<float>{0.0f, 1.0f}, 0.1);
  for (int i = 0; i < 5000; ++i) {
    adam.step(parameters, std::vector<float>{0.0f, 0.0f}, 0.1);
  }
  CHECK(parameters[0] == 0.0f);
  CHECK(adam.state().first == std::vector<float>(2));
  CHECK(adam.state().second == std::vector<float>(2));
}

TEST_CASE("Adam minimises a quadratic function of any scale") {
  for (const float scale : {1e-6f, 1.0f, 1e6f}) {
    Adam adam(1);
    std::vector<float> parameter = {1.0f};
    for (int i = 0; i < 400; ++i) {
      adam.step(parameter, std::vector<float>{scale * (parameter[0] - 0.5f)},
                0.02 * std::pow(0.98, i));
    }
    CHECK(parameter[0] == Approx(0.5).margin(0.01));
  }
}

TEST_CASE("Adam goes on from its state, and does not depend on threads or parts") {
  constexpr std::size_t kSize = 300'001;  // enough to be shared
  std::mt19937 random(1);
  std::vector<float> gradient(kSize);
  for (float& g : gradient) {
    g = symmetric_uniform(random);
  }
  Adam adam(kSize);
  std::vector<float> parameters(kSize, 1.0f);
  const auto step_on_three = [&] {
    const ThreadCount guard(3);
    adam.step(parameters, gradient, 0.1);
  };
  step_on_three();
  Adam other(kSize);
  other.restore(adam.state());
  std::vector<float> other_parameters = parameters;
  step_on_three();
  const std::size_t half = kSize / 2;
  other.begin_step();
  other.step_part(half, std::span(other_parameters).subspan(half),
                  std::span(gradient).subspan(half), 0.1);
  other.step_part(0, std::span(other_parameters).first(half), std::span(gradient).first(half), 0.1);
  CHECK(parameters == other_parameters);
  CHECK(adam.state() == other.state());
}

TEST_CASE("Adam rejects vectors of other sizes") {
  Adam adam(2);
  std::vector<float> two(2);
  std::vector<float> three(3);
  CHECK_THROWS_AS(adam.step(two, three, 0.1), ConfigError);
  CHECK_THROWS_AS(adam.step(three, two, 0.1), ConfigError);
  CHECK_THROWS_AS(adam.restore({.first = two, .second = three}), ConfigError);
}
