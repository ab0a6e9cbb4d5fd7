#include "cli/pipeline/verify.h"

#include "cli/pipeline/measure_bleu.h"
#include "eval/budget/accounting.h"
#include "formats/models/model_description.h"
#include "model/base/error.h"

namespace ltz::pipeline {
namespace {

eval::MeasuredQuality measured_of(const Quality& quality, const eval::EvaluationOptions& options) {
  eval::MeasuredQuality measured{.bleu = {}, .nll = quality.nll};
  if (!quality.bleu.empty()) {
    measured.bleu = bleu_of(quality.bleu, options);
  }
  return measured;
}

void compare_quality(const Checkpoint& artifact, const Original& original,
                     const VerifyOptions& options, const Events& events, Verification& found) {
  const eval::ParallelText& text = *original.text;
  QualityCache forgetful;
  QualityCache& cache = original.cache == nullptr ? forgetful : *original.cache;
  const bool nll = options.limits.on_likelihood() || options.limits.max_growth;
  const bool language = is_language_model(artifact.config);
  const auto measure = [&](const Checkpoint& checkpoint, const std::string& label) {
    return cache.measure({checkpoint, text, options.evaluation, nll}, events, label);
  };
  const std::string reading = language ? "reading" : "translating";
  const Quality before = measure(original.checkpoint, reading + " with the reference");
  const Quality after = measure(artifact, reading + " with the artifact");
  eval::Measured& measured = found.measured;
  measured.reference = measured_of(before, options.evaluation);
  measured.artifact = measured_of(after, options.evaluation);
  std::optional<Quality> older;
  if (measured.previous) {
    older = measure(original.previous->checkpoint, reading + " with the previous artifact");
    measured.previous->quality = measured_of(*older, options.evaluation);
  }
  if (language) {
    return;
  }
  found.signature = signature(options.evaluation);

  const eval::BleuSmoothing smoothing = options.evaluation.metric.bleu.smoothing;
  const std::size_t sentences = text.source.size();
  const eval::SampleScore score = eval::bleu_of_sample(after.bleu, smoothing);
  const auto drop_from = [&](const Quality& other) {
    return eval::paired_bootstrap(sentences, eval::bleu_of_sample(other.bleu, smoothing), score,
                                  options.bootstrap);
  };
  const bool resample = options.bootstrap.samples != 0;
  if (resample) {
    found.drop = drop_from(before);
    measured.drop_interval = {found.drop->low, found.drop->high};
  }
  // What only a gate by the interval asks for.
  const bool by_interval = resample && options.limits.by_interval;
  if (by_interval && options.limits.min_bleu) {
    measured.bleu_interval = eval::bootstrap(sentences, score, options.bootstrap).interval;
  }
  if (older && by_interval) {
    const eval::PairedDifference loss = drop_from(*older);
    measured.previous->loss_interval = {loss.low, loss.high};
  }
}

}  // namespace

std::string paper_baseline_name(const ModelConfig& config) {
  return is_language_model(config) ? "adaptive-inputs-wiki103" : "transformer-base";
}

std::int64_t paper_baseline(const ModelConfig& config) {
  return eval::count_parameters(formats::describe_model(paper_baseline_name(config), {}).config)
      .non_embedding;
}

void require_ltz(const formats::ModelFile& artifact, const std::string& name) {
  if (!artifact.sizes) {
    throw ConfigError(name + ": expected a .ltz artifact, found a ." + artifact.container);
  }
}

Verification verify(const formats::ModelFile& artifact, const std::string& name,
                    const Original& original, const VerifyOptions& options, const Events& events) {
  require_ltz(artifact, name);
  const ModelConfig& config = original.checkpoint.config;
  if (artifact.checkpoint.config != config) {
    throw ConfigError(name + ": expected the configuration of the reference, found another model");
  }
  Verification found;
  found.measured.size =
      eval::size_report(config, artifact_bytes(*artifact.sizes), options.baseline_parameters);
  if (original.previous != nullptr) {
    found.measured.previous = {
        .bytes = original.previous->bytes, .quality = {}, .loss_interval = {}};
  }
  if (original.text) {
    compare_quality(artifact.checkpoint, original, options, events, found);
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
