#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "cli/options/report_options.h"
#include "cli/pipeline/verify.h"
#include "cli/reports/baseline.h"

// What compress and verify say about an artifact.
namespace ltz::cli {

// Of the JSON that is printed: rises when a key changes its meaning or goes.
inline constexpr int kSchemaVersion = 1;

// Writes one JSON object, pretty-printed, with its schema_version and a final line end.
void write_json(const JsonOptions& options, const nlohmann::ordered_json& json);

struct NamedArtifact {
  const formats::ModelFile& file;
  std::string path;  // for errors
};

// Verifies the artifact, says what was found as the options want it, and returns the exit code.
// Throws as pipeline::verify does.
int report_artifact(const NamedArtifact& artifact, const pipeline::Original& original,
                    const Baseline& baseline, const ReportOptions& options);

}  // namespace ltz::cli
