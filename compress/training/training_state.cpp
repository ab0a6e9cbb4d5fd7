#include "compress/training/training_state.h"

#include <cstdint>
#include <string>

#include "model/base/error.h"

namespace ltz::compress {

void append(TrainingState& state, const AdamState& adam) {
  state.push_back(adam.first);
  state.push_back(adam.second);
  state.push_back({static_cast<float>(adam.updates)});
}

AdamState adam_state(const TrainingState& state, std::size_t first) {
  return {.first = state[first],
          .second = state[first + 1],
          .updates = static_cast<std::int64_t>(state[first + 2].front())};
}

void require_sizes(const TrainingState& state, const std::vector<std::size_t>& sizes) {
  std::string expected;
  std::string found;
  for (const std::size_t size : sizes) {
    expected.append(" ").append(std::to_string(size));
  }
  for (const std::vector<float>& part : state) {
    found.append(" ").append(std::to_string(part.size()));
  }
  if (expected != found) {
    throw ConfigError("a state of training with vectors of" + found + " floats, expected" +
                      expected);
  }
}

}  // namespace ltz::compress
