#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/checkpoint/checkpoint.h"

// Groups of tensors by name pattern: * stands for any characters, ? for any one.
namespace ltz::compress {

// Whether the whole name matches the pattern.
bool matches(std::string_view pattern, std::string_view name);

// Matches everything in the layers of the encoder and of the decoder: all but embedding tables.
inline constexpr const char* kAllLayers = "*coder.layers.*";

// Whether the name of a parameter, or a group, is one of those.
bool in_layers(std::string_view name);

// Whether a parameter is one that is pruned and quantized: a matrix or an embedding table.
bool is_weight(const ParameterSpec& spec);

// Names of the matrices and tables that match, in the order of the specs.
std::vector<std::string> members_of(std::string_view pattern,
                                    const std::vector<ParameterSpec>& specs);

// Every matrix and table on its own.
std::vector<std::string> single_tensors(const std::vector<ParameterSpec>& specs);

// The same matrix of all layers ("encoder.layers.*.fc1.weight"), then all matrices of one layer
// ("encoder.layers.0.*"), then every table on its own.
std::vector<std::string> sensitivity_groups(const std::vector<ParameterSpec>& specs);

}  // namespace ltz::compress
