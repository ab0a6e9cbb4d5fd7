#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "model/checkpoint/config.h"

namespace ltz {

// Gradients of a loss by the parameters of a model, by name: sums over what was added so far.
class Gradients {
 public:
  // Zeros for every parameter of a model of this configuration.
  explicit Gradients(const ModelConfig& config);

  // Row-major, as the parameter.
  std::span<float> operator[](const std::string& name) { return values_.at(name); }
  const std::map<std::string, std::vector<float>>& values() const { return values_; }
  // Adds what another has for this parameter.
  void add(const Gradients& other, const std::string& name);
  void clear();

 private:
  std::map<std::string, std::vector<float>> values_;
};

}  // namespace ltz
