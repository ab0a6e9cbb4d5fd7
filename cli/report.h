#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "cli/options.h"
#include "eval/gates.h"
#include "formats/model_file.h"

// What compress and verify say about an artifact.
namespace ltz::cli {

struct ArtifactReport {
  eval::Measured measured;
  std::vector<eval::Gate> gates;
};

// BLEU of a model's translations; `label` names it on the progress bar.
double measure_bleu(const Checkpoint& checkpoint, const eval::ParallelText& text,
                    const BeamOptions& beam, const std::string& label);

// Writes one JSON object, pretty-printed, with a final line end.
void write_json(const JsonOptions& options, const nlohmann::ordered_json& json);

// Keys as scripts know them: passed, gates, ratios, bits_per_weight, bytes, bleu.
nlohmann::ordered_json to_json(const ArtifactReport& report);
// Ratios with the bytes that they are made of, BLEU before and after, gates.
std::string to_text(const ArtifactReport& report);
// JUnit XML with one test case per gate, for CI servers.
std::string to_junit(const ArtifactReport& report);

// Per group of parameters: number, sparsity, bits per weight and bytes in the artifact.
std::string group_table(const formats::ModelFile& artifact);

// Sizes of an artifact; throws ConfigError, naming the file, unless it is a .ltz.
eval::ArtifactBytes artifact_bytes(const formats::ModelFile& artifact, const std::string& path);

}  // namespace ltz::cli
