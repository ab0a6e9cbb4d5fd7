#pragma once

#include <string>
#include <string_view>

#include "compress/sensitivity/sensitivity.h"

// Sensitivity curves as text: comment lines with the metric, the baseline and what was measured,
// a heading, and one line a point, so that a spreadsheet or awk can read them:
//
//   # ltz sensitivity 1
//   # metric nll
//   # baseline 1.14493
//   # measured model 1a2b3c4d text 5e6f7a8b
//   group,knob,setting,threshold,relative_error,context_error,quality
//   encoder.layers.*.fc1.weight,sparsity,0.3,0.41,0.021,0,1.14611
namespace ltz::formats {

struct SensitivityFile {
  std::string measured;  // fingerprint of model and text; curves of another one do not fit
  compress::SensitivityCurves curves;
};

std::string sensitivity_header(const SensitivityFile& file);
std::string sensitivity_line(const compress::SensitivityPoint& point);

// Reads a whole file, or as much of it as an interrupted run left: a last line without its line end
// is dropped. Throws FormatError, naming file and line.
SensitivityFile parse_sensitivity(std::string_view text, const std::string& name);

}  // namespace ltz::formats
