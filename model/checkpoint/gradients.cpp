#include "model/checkpoint/gradients.h"

#include <algorithm>
#include <functional>

#include "model/checkpoint/checkpoint.h"

namespace ltz {

Gradients::Gradients(const ModelConfig& config) {
  for (const ParameterSpec& spec : parameter_specs(config)) {
    values_[spec.name].resize(static_cast<std::size_t>(element_count(spec.shape)));
  }
}

void Gradients::add(const Gradients& other, const std::string& name) {
  std::vector<float>& sums = values_.at(name);
  std::ranges::transform(sums, other.values_.at(name), sums.begin(), std::plus());
}

void Gradients::clear() {
  for (auto& [name, sums] : values_) {
    std::ranges::fill(sums, 0.0f);
  }
}

}  // namespace ltz
