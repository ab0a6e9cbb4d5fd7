#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "cli/pipeline/compress_state.h"
#include "cli/pipeline/events.h"
#include "compress/recipes/tunable.h"
#include "eval/quality/evaluate.h"
#include "formats/records/size_fit.h"

// Compressing at one strength after another until size or quality is as wanted.
namespace ltz::pipeline {

// The models and files that were tried. What the state has of another run is made again only if it
// is asked for.
class Trials {
 public:
  // What its files are like beside model, texts and strength.
  struct Kind {
    std::string method;        // what they depend on
    formats::Provenance made;  // what they say of it
  };

  // All references outlive it.
  Trials(const Checkpoint& checkpoint, const compress::TunableCompressor& compressor, Kind kind,
         CompressState& state);

  const compress::TunableCompressor& compressor() const { return compressor_; }
  double parameters() const { return parameters_; }  // without embeddings
  bool language_model() const { return language_model_; }
  double bits_per_weight(double strength) const;  // of a trial
  // Of the file, made if need be.
  formats::LtzSizes sizes(double strength, const Progress& on_stage);
  const std::vector<std::byte>& file(double strength, const Progress& on_stage);
  const Checkpoint& model(double strength, const Progress& on_stage);
  // BLEU of the model in the file, or of a language model the NLL in nats per token.
  double quality(double strength, const eval::ParallelText& text,
                 const eval::EvaluationOptions& options, const Progress& progress);

 private:
  struct Made {
    Checkpoint model;
    std::vector<std::byte> file;
  };
  TrialRecord* find(double strength) const;
  const Made& made(double strength, const Progress& on_stage);

  const compress::TunableCompressor& compressor_;
  Kind kind_;
  CompressState& state_;
  double parameters_ = 0.0;
  bool language_model_;
  std::map<double, Made> made_;
};

struct SizeGoal {
  formats::SizeLimits limits;
  double start = 0.0;          // strength
  double close_enough = 0.01;  // see formats::SizeFitOptions
};

// The strength of the mildest file within the limits; where none is, of the smallest that was
// tried.
double fit_size(Trials& trials, const SizeGoal& goal, const Events& events = {});

struct QualityGoal {
  double original = 0.0;   // what Trials::quality is of the original
  double most_loss = 0.0;  // drop of BLEU, or growth of NLL
  const eval::ParallelText& text;
  const eval::EvaluationOptions& evaluation;
  double start = 0.0;  // strength
};

// The strength of the smallest file of those tried that keeps the quality; where none does, of the
// best one.
double fit_quality(Trials& trials, const QualityGoal& goal, const Events& events = {});

}  // namespace ltz::pipeline
