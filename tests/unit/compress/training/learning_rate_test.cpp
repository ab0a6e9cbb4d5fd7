#include "compress/training/learning_rate.h"

#include <catch2/catch.hpp>

#include "model/base/error.h"

using namespace ltz;
using namespace ltz::compress;

TEST_CASE("the learning rate rises linearly and falls as a cosine") {
  const Schedule schedule{.peak = 8.0, .warm_up = 4, .total = 12, .floor = 0.25};
  CHECK(learning_rate(schedule, 0) == Approx(2.0));
  CHECK(learning_rate(schedule, 1) == Approx(4.0));
  CHECK(learning_rate(schedule, 3) == Approx(8.0));
  CHECK(learning_rate(schedule, 7) == Approx(5.0));   // halfway between the peak and the floor
  CHECK(learning_rate(schedule, 11) == Approx(2.0));  // the last one
  CHECK(learning_rate(schedule, 1000) == Approx(2.0));
  for (int update = 4; update < 12; ++update) {
    CHECK(learning_rate(schedule, update) < learning_rate(schedule, update - 1));
  }
}

TEST_CASE("a schedule may have no warm-up, nothing else, or a single update") {
  CHECK(learning_rate({.peak = 1.0, .warm_up = 0, .total = 2}, 0) == Approx(0.5));
  CHECK(learning_rate({.peak = 1.0, .warm_up = 0, .total = 2}, 1) == 0.0);
  CHECK(learning_rate({.peak = 1.0, .warm_up = 3, .total = 3}, 2) == Approx(1.0));
  CHECK(learning_rate({.peak = 1.0, .warm_up = 1, .total = 1}, 0) == Approx(1.0));
  CHECK(learning_rate({.peak = 1.0, .warm_up = 0, .total = 3, .floor = 1.0}, 1) == Approx(1.0));
}

TEST_CASE("impossible schedules are rejected") {
  CHECK_THROWS_AS(learning_rate({.warm_up = 3, .total = 2}, 0), ConfigError);
  CHECK_THROWS_AS(learning_rate({.warm_up = -1, .total = 2}, 0), ConfigError);
  CHECK_THROWS_AS(learning_rate({.total = 2, .floor = 1.5}, 0), ConfigError);
  CHECK_THROWS_AS(learning_rate({.total = 2, .floor = -0.5}, 0), ConfigError);
}
