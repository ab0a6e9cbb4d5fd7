#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/pipeline/calibrate.h"
#include "cli/pipeline/compress_state.h"
#include "cli/pipeline/events.h"
#include "cli/pipeline/quality_cache.h"
#include "cli/pipeline/trials.h"
#include "cli/pipeline/verify.h"
#include "compress/recipes/retraining.h"
#include "compress/recipes/tunable.h"
#include "compress/sensitivity/sensitivity.h"
#include "formats/records/size_fit.h"

// The whole way from a trained model to the bytes of a .ltz.
namespace ltz::pipeline {

struct CompressInputs {
  const Checkpoint& checkpoint;
  std::optional<eval::ParallelText> development = {};  // to measure sensitivity and quality on
  // Source sentences that a calibrated recipe shows to the model, or a language model's text;
  // without them all inputs are taken to be alike, and a language model makes texts up.
  std::vector<std::string> calibration = {};
  // To retrain on, for a recipe with finetune; without references the model's own translations.
  eval::ParallelText training = {};
};

// The sensitivity curves of a recipe that prunes. Without a development set all weights are taken
// to be equally sensitive.
struct CurveOptions {
  std::size_t sentences = 400;  // of the development set, evenly spread
  std::vector<double> sparsities = {0.2, 0.6};
  std::string file;  // to keep the curves in, and to go on from; none if it is empty
};

struct CompressOptions {
  compress::Recipe recipe = compress::preset("balanced");
  // The recipe as it was written; empty: a preset. A state that serves several recipes tells them
  // apart by it, and the file says it.
  std::string recipe_text;
  eval::GateLimits limits;                              // to aim at
  std::int64_t baseline_parameters = paper_baseline();  // see VerifyOptions
  eval::EvaluationOptions evaluation;                   // of BLEU
  CalibrateOptions calibration;
  CurveOptions curves;
};

// What a state file belongs to: of the model, the texts and how they are measured.
std::map<std::string, std::string> measured_on(const CompressInputs& inputs,
                                               const CompressOptions& options);

// A compression that is about to begin.
class Compression {
 public:
  // Measures what the recipe needs, sensitivity curves or a calibration, and translates what is to
  // be trained on; what the state has is not measured again. All references outlive this. Throws
  // ConfigError for a recipe or texts that do not go together.
  Compression(const CompressInputs& inputs, const CompressOptions& options, CompressState& state,
              const Events& events = {});
  ~Compression();

  // Every tensor as it is foreseen, in the order of parameter_specs.
  const std::vector<compress::TensorForecast>& plan() const { return plan_; }
  // Of the file that they will make.
  formats::LtzSizes planned_sizes() const { return forecast_.sizes(plan_); }

  // The .ltz: as mild as the limits on sizes and the recipe's own target allow; without limits on
  // sizes, but with one on the drop of BLEU or on a language model's perplexity, the smallest that
  // keeps it. A recipe with finetune is
  // retrained, and only sizes are aimed at: quality is not known before. Throws ConfigError when
  // the recipe's own target is out of reach.
  std::vector<std::byte> run();

  // Of the model before compression, on the development set; empty without one. Measured once.
  Quality original_quality();

 private:
  using Retrained = std::function<Checkpoint(const compress::RetrainingSteps& steps)>;

  bool by_quality() const;
  bool language_model() const { return is_language_model(inputs_.checkpoint.config); }
  void choose_compressor();
  std::optional<compress::SensitivityCurves> measure_curves() const;
  double search_quality(Trials& trials);  // a strength, as the next
  double search_size(Trials& trials, const formats::SizeLimits& limits, double start) const;
  std::vector<std::byte> retrain();

  const CompressInputs& inputs_;
  const CompressOptions& options_;
  CompressState& state_;
  const Events& events_;

  std::optional<compress::SensitivityCurves> curves_;
  compress::Calibration calibration_;
  std::unique_ptr<compress::TunableCompressor> compressor_;
  Retrained compress_and_retrain_;
  Trials::Kind kind_;
  double close_enough_ = 0.01;  // relative: a file that much below what is wanted will do
  eval::ParallelText training_;

  formats::FileForecast forecast_;
  std::optional<double> own_target_;  // model bytes that the recipe asks for
  formats::SizeLimits limits_;        // those of the options and the recipe's own
  double start_ = 0.0;                // strength
  std::vector<compress::TensorForecast> plan_;
};

// All of it in one go. state: of measured_on, or one that keeps nothing.
std::vector<std::byte> compress_model(const CompressInputs& inputs, const CompressOptions& options,
                                      const Events& events = {});

// Files of the trainings that belong to this state, beside it; none without one.
std::string training_file(const std::string& state, int stage);

}  // namespace ltz::pipeline
