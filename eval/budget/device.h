#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/checkpoint/config.h"

// Whether a model is small enough for a phone, as the paper has it (Wu et al. 2020, section 5.1,
// "Mobile settings").
namespace ltz::eval {

struct Device {
  std::string_view name;
  std::string_view description;
  double flops;  // of all cores at their peak, float32, in a second
};

std::span<const Device> devices();
// Throws ConfigError, naming those that there are.
const Device& find_device(std::string_view name);

// One of the paper's limits, and what a model has.
struct DeviceLimit {
  std::string name;   // in JSON
  std::string label;  // for people
  double value;
  double limit;
  bool at_most;  // or else at least
  bool holds() const { return at_most ? value <= limit : value >= limit; }
};

// For sentences of 30 tokens and, unless it is a language model, translations of as many. How many
// sentences a second is from the device's peak, which no program reaches, and from what the paper
// counts: one hypothesis, without the output projection.
std::vector<DeviceLimit> device_limits(const ModelConfig& config, const Device& device);

// Bytes of memory that weights and tables of positions take once a model is ready to compute in
// float32: as floats, and the output's matrices twice where they are those of the input, too. Codes
// of matrices that stay codes (PackedMatrix) take less.
std::int64_t loaded_bytes(const ModelConfig& config);

}  // namespace ltz::eval
