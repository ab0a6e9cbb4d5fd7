#include "cli/options/calibration_options.h"

#include "cli/options/values.h"
#include "cli/terminal/line_reader.h"
#include "model/base/error.h"

namespace ltz::cli {

std::vector<std::string> CalibrationOptions::read(const std::vector<std::string>& otherwise) const {
  return file.empty() ? otherwise : read_text(file);
}

void add_calibration(CLI::App& command, CalibrationOptions& options) {
  const auto* group = "Calibration (balanced, max)";
  command
      .add_option("--calibration", options.file,
                  "Source text to calibrate on, like the training text; default: --src")
      ->group(group);
  command
      .add_option("--calibration-sentences", options.calibrate.sentences,
                  "So many of its sentences, evenly spread")
      ->check(above(0))
      ->group(group);
}

}  // namespace ltz::cli
