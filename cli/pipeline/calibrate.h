#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <string>
#include <vector>

#include "cli/options/options.h"
#include "cli/pipeline/compress_state.h"
#include "compress/recipes/calibrated.h"

// Measuring what a calibrated compression needs, for `compress`.
namespace ltz::cli {

struct CalibrationOptions {
  std::string file;               // source text; empty: that of the development set, if any
  std::size_t sentences = 1000;   // to see the layers' inputs on
  std::size_t sensitivity = 150;  // of them, to measure sensitivity on
};
void add_calibration(CLI::App& command, CalibrationOptions& options);

// The lines of the file; if none is named, the development set's source sentences, which may be
// none. Throws ConfigError for an empty file.
std::vector<std::string> calibration_lines(const CalibrationOptions& options,
                                           const std::vector<std::string>& development);

// These sentences with the model's own translations.
compress::CalibrationText self_translated(const Transformer& model,
                                          std::vector<TokenIds> sentences);

// Ids of source sentences, one a line.
std::vector<TokenIds> encoded_sources(const Checkpoint& checkpoint,
                                      const std::vector<std::string>& lines);

// Translates lines with the model itself and measures moments and sensitivities; all tensors count
// the same without a text. What the state has is not measured again, what is measured goes there.
compress::Calibration calibrate(const Checkpoint& checkpoint, const CalibrationOptions& options,
                                const std::vector<std::string>& lines, CompressState& state);

}  // namespace ltz::cli
