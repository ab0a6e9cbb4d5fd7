#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace ltz::compress {

struct AdamOptions {
  double beta1 = 0.9;
  double beta2 = 0.98;  // 0.98 instead of 0.999: what Transformers for translation are trained with
  double epsilon = 1e-8;
};

// What Adam remembers.
struct AdamState {
  std::vector<float> first;   // (size) moving mean of the gradients
  std::vector<float> second;  // (size) moving mean of their squares
  std::int64_t updates = 0;   // until now

  bool operator==(const AdamState&) const = default;
};

// Adam with bias correction (Kingma & Ba, "Adam: a method for stochastic optimization", 2015,
// algorithm 1) for one flat vector of parameters. A parameter whose gradients were all zero does
// not move.
class Adam {
 public:
  explicit Adam(std::size_t size, const AdamOptions& options = {});

  // One update. parameters, gradient: (size). The same for any number of threads.
  void step(std::span<float> parameters, std::span<const float> gradient, double learning_rate);

  // The same in parts: begin_step() once, then step_part for every part, from any thread.
  // parameters, gradient: (n), those from number first on.
  void begin_step() { ++state_.updates; }
  void step_part(std::size_t first, std::span<float> parameters, std::span<const float> gradient,
                 double learning_rate);

  // Forgets the moments where the mask is 0, so that these parameters do not move by them.
  // mask: (size)
  void forget(std::span<const std::uint8_t> mask);

  const AdamState& state() const { return state_; }
  // Throws ConfigError for a state of another size.
  void restore(AdamState state);

 private:
  AdamOptions options_;
  AdamState state_;
};

}  // namespace ltz::compress
