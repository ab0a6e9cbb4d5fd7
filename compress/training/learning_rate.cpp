#include "compress/training/learning_rate.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include "model/base/error.h"

namespace ltz::compress {

double learning_rate(const Schedule& schedule, std::int64_t update) {
  if (schedule.warm_up < 0 || schedule.warm_up > schedule.total) {
    throw ConfigError("a warm-up of " + std::to_string(schedule.warm_up) +
                      " updates, expected 0 to " + std::to_string(schedule.total));
  }
  if (!(schedule.floor >= 0.0 && schedule.floor <= 1.0)) {
    throw ConfigError("a learning rate that falls to " + std::to_string(schedule.floor) +
                      " of its peak, expected 0 to 1");
  }
  const std::int64_t done = update + 1;
  if (done <= schedule.warm_up) {
    return schedule.peak * static_cast<double>(done) / static_cast<double>(schedule.warm_up);
  }
  if (done >= schedule.total) {
    return schedule.peak * schedule.floor;
  }
  const double progress = static_cast<double>(done - schedule.warm_up) /
                          static_cast<double>(schedule.total - schedule.warm_up);
  const double height = 0.5 * (1.0 + std::cos(std::numbers::pi * progress));
  return schedule.peak * (schedule.floor + (1.0 - schedule.floor) * height);
}

}  // namespace ltz::compress
