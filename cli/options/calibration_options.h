#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "cli/pipeline/calibrate.h"

namespace ltz::cli {

// --calibration, --calibration-sentences
struct CalibrationOptions {
  std::string file;  // source text; empty: another that the command has, if any
  pipeline::CalibrateOptions calibrate;

  // The lines of the file; without one, these. Throws ConfigError for an empty file.
  std::vector<std::string> read(const std::vector<std::string>& otherwise) const;
};
void add_calibration(CLI::App& command, CalibrationOptions& options);

}  // namespace ltz::cli
