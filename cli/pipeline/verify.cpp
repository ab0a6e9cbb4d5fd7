#include "cli/pipeline/verify.h"

#include "cli/pipeline/measure_bleu.h"
#include "eval/budget/accounting.h"
#include "formats/models/model_description.h"
#include "model/base/error.h"

namespace ltz::pipeline {
namespace {

void compare_bleu(const Checkpoint& artifact, const Original& original,
                  const VerifyOptions& options, const Events& events, Verification& found) {
  const eval::ParallelText& text = *original.text;
  const auto before = original.bleu.empty()
                          ? measure_bleu(original.checkpoint, text, options.evaluation,
                                         events.start("translating with the reference"))
                          : original.bleu;
  const auto after = measure_bleu(artifact, text, options.evaluation,
                                  events.start("translating with the artifact"));
  found.measured.bleu_reference = bleu_of(before, options.evaluation);
  found.measured.bleu_artifact = bleu_of(after, options.evaluation);
  found.signature = signature(options.evaluation);
  if (options.bootstrap.samples != 0) {
    const eval::BleuSmoothing smoothing = options.evaluation.metric.bleu.smoothing;
    found.drop = eval::paired_bootstrap(before.size(), eval::bleu_of_sample(before, smoothing),
                                        eval::bleu_of_sample(after, smoothing), options.bootstrap);
  }
}

}  // namespace

std::int64_t paper_baseline() {
  return eval::count_parameters(formats::describe_model("transformer-base", {}).config)
      .non_embedding;
}

Verification verify(const formats::ModelFile& artifact, const std::string& name,
                    const Original& original, const VerifyOptions& options, const Events& events) {
  if (!artifact.sizes) {
    throw ConfigError(name + ": expected a .ltz artifact, found a ." + artifact.container);
  }
  const ModelConfig& config = original.checkpoint.config;
  if (artifact.checkpoint.config != config) {
    throw ConfigError(name + ": expected the configuration of the reference, found another model");
  }
  Verification found;
  found.measured.size =
      eval::size_report(config, artifact_bytes(*artifact.sizes), options.baseline_parameters);
  if (original.text) {
    compare_bleu(artifact.checkpoint, original, options, events, found);
  }
  found.gates = eval::check_gates(options.limits, found.measured);
  return found;
}

eval::ArtifactBytes artifact_bytes(const formats::LtzSizes& sizes) {
  return {.artifact = sizes.total,
          .embedding = sizes.embedding,
          .vocabulary = sizes.vocabulary,
          .model = sizes.model};
}

}  // namespace ltz::pipeline
