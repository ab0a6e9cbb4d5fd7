#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/pipeline/events.h"
#include "cli/pipeline/quality_cache.h"
#include "eval/budget/gates.h"
#include "eval/quality/evaluate.h"
#include "eval/scores/bootstrap.h"
#include "formats/ltz/ltz.h"
#include "formats/models/model_file.h"

namespace ltz::pipeline {

// The preset that the paper compares a model of this kind with: Transformer base, which its 18.2x
// is relative to, or for a language model Adaptive Inputs, of Table 5.
std::string paper_baseline_name(const ModelConfig& config);
// Parameters without embeddings of the one or the other.
std::int64_t paper_baseline(const ModelConfig& config = {});

// What an artifact is compared with.
struct Original {
  const Checkpoint& checkpoint;                   // that it was made from
  const std::optional<eval::ParallelText>& text;  // to measure quality on, if any
  const formats::ModelFile* previous = nullptr;   // an older artifact, for max_growth
  QualityCache* cache = nullptr;                  // of qualities that are not measured again
};

struct VerifyOptions {
  eval::GateLimits limits;
  std::int64_t baseline_parameters = paper_baseline();  // without embeddings
  eval::EvaluationOptions evaluation;
  eval::BootstrapOptions bootstrap;  // of the drop of BLEU; no samples: none
};

struct Verification {
  eval::Measured measured;
  std::optional<eval::PairedDifference> drop;  // of BLEU, original - artifact
  std::string signature;                       // of BLEU, where it was measured
  std::vector<eval::Gate> gates;

  bool passed() const { return eval::all_passed(gates); }
};

// Measures an artifact as it was read from its file, and holds it against the limits. name: of the
// file, for errors. Throws ConfigError unless it is a .ltz of the original's configuration, and for
// a limit on BLEU or NLL without a text.
Verification verify(const formats::ModelFile& artifact, const std::string& name,
                    const Original& original, const VerifyOptions& options,
                    const Events& events = {});

// Throws ConfigError, naming the file, unless it is a .ltz.
void require_ltz(const formats::ModelFile& artifact, const std::string& name);

// The sizes of a .ltz as gates and reports have them.
eval::ArtifactBytes artifact_bytes(const formats::LtzSizes& sizes);

}  // namespace ltz::pipeline
