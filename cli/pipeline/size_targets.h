#pragma once

#include <cstdint>
#include <optional>

#include "compress/recipes/tunable.h"
#include "eval/budget/gates.h"
#include "formats/records/size_fit.h"
#include "model/checkpoint/config.h"

// How large a compressed model may become.
namespace ltz::pipeline {

// What the limits on sizes together ask of the model and of the file; limits of 0 and below ask for
// nothing. Growth, which is relative to another file, is not among them. baseline_parameters: what
// the paper's ratio is relative to.
formats::SizeLimits limits_of(const eval::GateLimits& gates, const ModelConfig& config,
                              std::int64_t baseline_parameters);

// The model bytes that the recipe itself asks for, if it does. Where it limits the divergence and
// the compressor foresees more, it gives way as far as its max_bits_per_weight.
std::optional<double> own_target(const compress::Recipe& recipe, const ModelConfig& config,
                                 std::int64_t baseline_parameters,
                                 const compress::TunableCompressor& compressor,
                                 const formats::FileForecast& forecast);

// Limits for a file that training will still change.
formats::SizeLimits limits_before_training(const formats::FileForecast& forecast,
                                           const compress::TunableCompressor& compressor,
                                           formats::SizeLimits limits);

}  // namespace ltz::pipeline
