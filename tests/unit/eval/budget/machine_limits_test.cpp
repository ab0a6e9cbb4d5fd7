#include "eval/budget/machine_limits.h"

#include <catch2/catch.hpp>
#include <utility>
#include <vector>

namespace ltz::eval {
namespace {

// A clock that only the work moves: a run takes as long as the list says.
struct Runs {
  explicit Runs(std::vector<double> seconds) : seconds(std::move(seconds)) {}
  double fastest() {
    return fastest_run([&] { return time; }, [&] { time += seconds.at(done++); });
  }

  std::vector<double> seconds;
  double time = 100.0;
  std::size_t done = 0;
};

}  // namespace

TEST_CASE("the fastest of three runs counts, but not the one before them") {
  const auto [seconds, fastest] =
      GENERATE(table<std::vector<double>, double>({{{1.0, 8.0, 4.0, 16.0}, 4.0},
                                                   {{32.0, 2.0, 4.0, 8.0}, 2.0},
                                                   {{0.5, 8.0, 4.0, 2.0}, 2.0},
                                                   {{1.0, 4.0, 4.0, 4.0}, 4.0}}));
  Runs runs(seconds);
  CHECK(runs.fastest() == fastest);
  CHECK(runs.done == 4);
}

TEST_CASE("the limits of the machine are those of a processor, in operations per second") {
  const int threads = GENERATE(1, 2);
  const Clock clock = GENERATE(Clock::kWall, Clock::kProcessor);
  CAPTURE(threads);
  // Between one product every ten thousand cycles and two FMAs of 32 floats in each of 10 GHz.
  const double gemm = measure_gemm(threads, clock, 256);
  CHECK(gemm > 1e5);
  CHECK(gemm < threads * 10e9 * 2 * 32 * 2);
}

}  // namespace ltz::eval
