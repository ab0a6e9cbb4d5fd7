#pragma once

#include <cstdint>

namespace ltz::compress {

// A learning rate over the updates of one training.
struct Schedule {
  double peak = 1e-4;
  std::int64_t warm_up = 0;  // updates in which the rate rises linearly; the last one has the peak
  std::int64_t total = 1;    // updates in all
  double floor = 0.0;        // rate of the last update, as a fraction of the peak
};

// The learning rate of an update, counted from 0: peak * (update + 1) / warm_up while it warms up,
// then half a period of a cosine down to the floor, which the last update has (Loshchilov & Hutter,
// "SGDR", 2017, equation 5, without restarts); the floor beyond.
// Throws ConfigError for a schedule whose warm-up is negative or longer than the whole, or whose
// floor is outside 0 to 1.
double learning_rate(const Schedule& schedule, std::int64_t update);

}  // namespace ltz::compress
