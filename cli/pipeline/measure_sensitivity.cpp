#include "cli/pipeline/measure_sensitivity.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <span>
#include <utility>

#include "cli/pipeline/fingerprint.h"
#include "cli/pipeline/measure_bleu.h"
#include "compress/recipes/plan.h"
#include "compress/sensitivity/pattern.h"
#include "eval/quality/cached_reading.h"
#include "formats/files/file.h"
#include "formats/records/sensitivity_csv.h"
#include "model/base/error.h"

namespace ltz::pipeline {
namespace {

// Points that were measured before, by this or by an interrupted run.
std::vector<compress::SensitivityPoint> known_points(const std::string& path,
                                                     const formats::SensitivityFile& wanted) {
  if (!std::filesystem::exists(path)) {
    return {};
  }
  const formats::SensitivityFile found =
      formats::parse_sensitivity(formats::read_text_file(path), path);
  if (found.measured != wanted.measured || found.curves.metric != wanted.curves.metric) {
    throw ConfigError(fmt::format(
        "{}: expected curves of {} ({}), found {} ({}); remove the file or choose another", path,
        wanted.measured, wanted.curves.metric, found.measured, found.curves.metric));
  }
  return found.curves.points;
}

// Appends points to the file of an unfinished run.
class PartialFile {
 public:
  PartialFile(std::string path, const formats::SensitivityFile& begun) : path_(std::move(path)) {
    std::string text = formats::sensitivity_header(begun);
    for (const compress::SensitivityPoint& point : begun.curves.points) {
      text += formats::sensitivity_line(point);
    }
    formats::write_file_atomically(path_, std::as_bytes(std::span(text)));
    stream_.open(path_, std::ios::app);
  }

  void append(const compress::SensitivityPoint& point) {
    stream_ << formats::sensitivity_line(point) << std::flush;
    if (!stream_) {
      throw IoError("cannot write " + path_);
    }
  }

 private:
  std::string path_;
  std::ofstream stream_;
};

// The model with every matrix pruned to this sparsity.
Checkpoint with_sparsity(const Checkpoint& checkpoint, double sparsity) {
  compress::Recipe recipe;
  recipe.overrides.push_back({.pattern = compress::kAllLayers, .sparsity = sparsity});
  return compress::prune(checkpoint, compress::Planner(checkpoint, nullptr, recipe).at(0.0));
}

// Lower is better.
class QualityOfText {
 public:
  // What the arguments refer to outlives this.
  QualityOfText(const Transformer& model, const TextCodec& codec, const eval::ParallelText& text,
                const SensitivityRun& run)
      : model_(model), codec_(codec), text_(text) {
    evaluation_.beam = run.beam;
    if (run.metric != "bleu") {
      EncodedText encoded = eval::encode(codec, text);
      reading_.emplace(model, std::move(encoded.source), std::move(encoded.target));
    }
  }

  // To be called before these parameters are replaced.
  void expect(const compress::Replacements& replacements) {
    if (reading_) {
      reading_->keep_what_precedes(compress::names_of(replacements));
    }
  }

  // Of the model as it is now.
  double measure() const {
    return reading_
               ? eval::score(*reading_).mean()
               : -bleu_of(eval::bleu_of_model(model_, codec_, text_, evaluation_), evaluation_);
  }

 private:
  const Transformer& model_;
  const TextCodec& codec_;
  const eval::ParallelText& text_;
  eval::EvaluationOptions evaluation_;          // for BLEU
  std::optional<eval::CachedReading> reading_;  // for the likelihood
};

}  // namespace

std::string partial_file(const SensitivityRun& run) {
  return run.file.empty() ? "" : run.file + ".partial";
}

compress::SensitivityCurves measure_sensitivity(const Checkpoint& checkpoint,
                                                const eval::ParallelText& text,
                                                const SensitivityRun& run, const Events& events) {
  formats::SensitivityFile file{
      .measured = fmt::format("model {} text {} context {}{}", fingerprint(checkpoint),
                              fingerprint(text), run.options.context,
                              run.arithmetic == Arithmetic::kFloat32
                                  ? ""
                                  : fmt::format(" precision {}", to_string(run.arithmetic))),
      .curves = {}};
  file.curves.metric = run.metric;
  const std::string partial = partial_file(run);
  if (!run.file.empty()) {
    file.curves.points = known_points(run.file, file);
    const auto unfinished = known_points(partial, file);
    file.curves.points.insert(file.curves.points.end(), unfinished.begin(), unfinished.end());
  }

  const Checkpoint context = with_sparsity(checkpoint, run.options.context);
  Transformer model(context, run.arithmetic);
  const TextCodec codec(checkpoint);
  QualityOfText quality(model, codec, text, run);
  file.curves.baseline = quality.measure();
  const compress::Measurement measurement{
      .metric = run.metric,
      .baseline = file.curves.baseline,
      .quality = [&](const compress::Replacements& replacements) {
        quality.expect(replacements);
        return compress::measure_replaced(model, context, replacements,
                                          [&] { return quality.measure(); });
      }};
  std::optional<PartialFile> log;
  if (!run.file.empty()) {
    log.emplace(partial, file);
  }
  const Progress progress = events.start("sensitivity");
  compress::SensitivityCurves curves = compress::analyse(
      checkpoint, run.options, measurement, file.curves.points,
      [&](const compress::SensitivityPoint& point, std::size_t done, std::size_t total) {
        if (log) {
          log->append(point);
        }
        progress(done, total);
      });
  if (!run.file.empty()) {
    file.curves = curves;
    std::string whole = formats::sensitivity_header(file);
    for (const compress::SensitivityPoint& point : curves.points) {
      whole += formats::sensitivity_line(point);
    }
    formats::write_file_atomically(run.file, std::as_bytes(std::span(whole)));
    std::filesystem::remove(partial);
  }
  return curves;
}

}  // namespace ltz::pipeline
