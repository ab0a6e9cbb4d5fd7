#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "cli/options/report_options.h"
#include "cli/pipeline/verify.h"
#include "cli/reports/baseline.h"

// What compress and verify say about an artifact.
namespace ltz::cli {

// Writes one JSON object, pretty-printed, with a final line end.
void write_json(const JsonOptions& options, const nlohmann::ordered_json& json);

// Verifies the artifact as it is on disk, says what was found as the options want it, and returns
// the exit code. Throws as pipeline::verify does.
int report_artifact(const std::string& path, const pipeline::Original& original,
                    const Baseline& baseline, const ReportOptions& options);

}  // namespace ltz::cli
