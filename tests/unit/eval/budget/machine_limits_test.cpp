#include "eval/budget/machine_limits.h"

#include <catch2/catch.hpp>
#include <cmath>

namespace ltz::eval {

TEST_CASE("the limits of the machine are speeds, with one thread and with several") {
  const int threads = GENERATE(1, 2);
  const Clock clock = GENERATE(Clock::kWall, Clock::kProcessor);
  CAPTURE(threads);
  const double gemm = measure_gemm(threads, clock, 256);
  CHECK(std::isfinite(gemm));
  CHECK(gemm > 0.0);
}

}  // namespace ltz::eval
