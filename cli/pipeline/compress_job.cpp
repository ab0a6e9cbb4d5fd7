#include "cli/pipeline/compress_job.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "cli/commands/commands.h"
#include "cli/pipeline/finetune_text.h"
#include "cli/pipeline/fingerprint.h"
#include "cli/pipeline/training_text.h"
#include "cli/pipeline/trials.h"
#include "cli/reports/compress_plan.h"
#include "cli/terminal/terminal.h"
#include "eval/budget/accounting.h"
#include "formats/files/file.h"
#include "formats/records/size_fit.h"
#include "model/base/error.h"

namespace ltz::cli {
namespace {

// What every limit on sizes asks of the model and of the file.
formats::SizeLimits limits_of(const eval::GateLimits& gates, const Original& original) {
  const auto parameters = eval::count_parameters(original.checkpoint.config);
  formats::SizeLimits limits;
  for (const eval::RatioLimit& ratio : gates.min_ratios) {
    if (ratio.limit <= 0.0) {
      continue;
    }
    if (ratio.ratio == "file") {
      limits.file =
          std::min(limits.file, 4.0 * static_cast<double>(parameters.total) / ratio.limit);
      continue;
    }
    const double before = ratio.ratio == "model"
                              ? 4.0 * static_cast<double>(parameters.non_embedding)
                              : 4.0 * static_cast<double>(original.baseline.parameters);
    limits.model = std::min(limits.model, before / ratio.limit);
  }
  if (gates.max_bytes) {
    limits.file = std::min(limits.file, static_cast<double>(*gates.max_bytes));
  }
  return limits;
}

double bytes_of(const CompressJob& job, double bits_per_weight) {
  const auto weights = eval::count_parameters(job.original.checkpoint.config).non_embedding;
  return bits_per_weight * static_cast<double>(weights) / 8.0;
}

double divergence_at(const CompressJob& job, double strength) {
  double sum = 0.0;
  for (const compress::TensorForecast& tensor : job.compressor.forecast(strength)) {
    sum += tensor.divergence;
  }
  return sum;
}

// The model bytes that the recipe itself asks for: if it limits the divergence, it gives way as far
// as it says.
std::optional<double> own_target(const CompressJob& job) {
  const Checkpoint& checkpoint = job.original.checkpoint;
  const std::optional<double> target = compress::target_model_bytes(
      job.recipe, eval::count_parameters(checkpoint.config).non_embedding,
      4.0 * static_cast<double>(job.original.baseline.parameters));
  const std::optional<double> most = job.recipe.max_divergence;
  if (!target || !most) {
    return target;
  }
  const double start = formats::foreseen_strength(checkpoint, job.compressor, {.model = *target});
  const double found = divergence_at(job, start);
  if (found <= *most) {
    return target;
  }
  // The divergence is about proportional to lambda.
  const double milder = start - std::log2(found / *most);
  const formats::LtzSizes sizes =
      formats::foreseen_sizes(checkpoint, job.compressor.forecast(milder));
  return std::min(static_cast<double>(sizes.model), bytes_of(job, *job.recipe.max_bits_per_weight));
}

// BLEU statistics of the model before compression, from the state if it has them.
std::vector<eval::BleuStatistics> measure_original(const CompressJob& job, CompressState& state) {
  if (!job.original.text) {
    return {};
  }
  const std::size_t sentences = job.original.text->source.size();
  if (state.reference.empty()) {
    Progress progress("translating with the reference");
    state.reference =
        measure_bleu(job.original.checkpoint, *job.original.text, job.report,
                     [&](std::size_t done, std::size_t total) { progress.update(done, total); });
    state.save();
  } else if (state.reference.size() != sentences) {
    throw FormatError(fmt::format("{}: expected BLEU of {} sentences, found {}", state.path(),
                                  sentences, state.reference.size()));
  }
  return state.reference;
}

std::vector<std::byte> search_quality(Trials& trials, const CompressJob& job,
                                      const std::vector<eval::BleuStatistics>& statistics,
                                      double start) {
  const eval::GateLimits& gates = job.report.gates.limits;
  const double bleu = eval::score(eval::sum(statistics), job.report.bleu.smoothing).score;
  return compress_to_quality(
      trials,
      {.bleu = bleu,
       .most_drop = std::min(*gates.max_bleu_drop, bleu - gates.min_bleu.value_or(0.0)),
       .text = *job.original.text,
       .options = job.report},
      start);
}

std::vector<std::byte> search_size(Trials& trials, const CompressJob& job,
                                   const formats::SizeLimits& limits, std::optional<double> own,
                                   double start) {
  std::vector<std::byte> bytes = compress_to_size(
      trials, {.limits = limits, .start = start, .close_enough = job.close_enough});
  if (own && static_cast<double>(formats::ltz_sizes(bytes).model) > *own) {
    throw ConfigError(
        fmt::format("recipe {}: no model of at most {:.0f} bytes without embeddings was found",
                    job.recipe.name, *own));
  }
  return bytes;
}

// Limits for a file that training will still change.
formats::SizeLimits limits_before_training(const Checkpoint& checkpoint,
                                           const compress::TunableCompressor& compressor,
                                           formats::SizeLimits limits) {
  const double strength = formats::foreseen_strength(checkpoint, compressor, limits);
  const double room = compress::room_for_training(compressor.forecast(strength));
  limits.model -= room;
  limits.file -= room;
  return limits;
}

std::vector<std::byte> retrain(const CompressJob& job, const formats::SizeLimits& limits,
                               std::optional<double> own, CompressState& state) {
  const Checkpoint& original = job.original.checkpoint;
  const eval::ParallelText development = job.original.text.value_or(eval::ParallelText{});
  std::string method = job.method;
  compress::RetrainingSteps steps;
  steps.train = [&](const Checkpoint& start, const compress::RetrainingStage& stage) {
    say("retraining the " + stage.what);
    Checkpoint trained =
        run_finetune(start, &original, job.training, development, stage.options,
                     training_file(state.path(), stage.number), evaluation(job.report));
    method = job.method + ", retrained " + fingerprint(trained);
    return trained;
  };
  steps.fit = [&](const compress::TunableCompressor& compressor) {
    const formats::SizeLimits before = limits_before_training(original, compressor, limits);
    Trials trials(original, compressor, method, state);
    return formats::decode_ltz(
        search_size(trials, job, before, own,
                    formats::foreseen_strength(original, compressor, before)),
        "a trial");
  };
  std::vector<std::byte> bytes = formats::encode_ltz(job.retrain(steps));
  const formats::LtzSizes sizes = formats::ltz_sizes(bytes);
  const auto weights = static_cast<double>(eval::count_parameters(original.config).non_embedding);
  say(fmt::format("retrained: {:.2f} bits per weight, {} bytes",
                  8.0 * static_cast<double>(sizes.model) / weights, with_separators(sizes.total)));
  if (static_cast<double>(sizes.model) > limits.model ||
      static_cast<double>(sizes.total) > limits.file) {
    say("training has made it larger than it should be");
  }
  return bytes;
}

}  // namespace

int compress_and_report(const CompressJob& job, CompressState& state) {
  const eval::GateLimits& gates = job.report.gates.limits;
  Original original = job.original;
  const formats::SizeLimits wanted = limits_of(gates, original);
  formats::SizeLimits limits = wanted;
  const std::optional<double> own = own_target(job);
  limits.model = std::min(limits.model, own.value_or(limits.model));
  const double start = formats::foreseen_strength(original.checkpoint, job.compressor, limits);
  const ForeseenFile plan(original.checkpoint, job.compressor.forecast(start),
                          original.baseline.parameters);
  if (job.recipe.finetune) {
    say_stages(compress::retraining_stages(job.recipe));
  }
  if (job.output.empty()) {
    plan.print(job.report.json);
    return kDone;
  }
  plan.say_summary();
  say(fmt::format("compressing by the recipe \"{}\"", job.recipe.name));
  if (job.recipe.finetune) {
    formats::write_file_atomically(job.output, retrain(job, limits, own, state));
    original.bleu = measure_original(job, state);
    return report_artifact(job.output, original, job.report);
  }
  Trials trials(original.checkpoint, job.compressor, job.method, state);
  // Nothing milder than what sizes ask for can pass, so then BLEU is only looked at.
  const bool by_quality = gates.max_bleu_drop && !wanted.any();
  if (by_quality) {
    original.bleu = measure_original(job, state);
  }
  formats::write_file_atomically(job.output, by_quality
                                                 ? search_quality(trials, job, original.bleu, start)
                                                 : search_size(trials, job, limits, own, start));
  if (!by_quality) {
    original.bleu = measure_original(job, state);
  }
  return report_artifact(job.output, original, job.report);
}

}  // namespace ltz::cli
