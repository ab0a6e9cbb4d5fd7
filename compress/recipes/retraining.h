#pragma once

#include <functional>
#include <string>
#include <vector>

#include "compress/recipes/recipe.h"
#include "compress/recipes/tunable.h"
#include "compress/training/finetune.h"

// Compression with training between its steps and behind them.
namespace ltz::compress {

// One of the trainings that a recipe asks for.
struct RetrainingStage {
  int number = 1;
  std::string what;  // is trained: "weights", "centroids" or "codes"
  FinetuneOptions options;
};

// The trainings of a recipe that has finetune, in their order, with its epochs and minutes shared
// out: a recipe that prunes trains the weights that are left and then the centroids, as Deep
// Compression does (Han et al. 2016, section 2 and 3); every other one trains once, at the end.
// Codes are trained instead of centroids where they are free.
std::vector<RetrainingStage> retraining_stages(const Recipe& recipe);

// Bytes that a file of these tensors may gain when it is trained with fixed codes: floats and
// centroids are packed a little better or worse than before.
double room_for_training(const std::vector<TensorForecast>& tensors);

// What it takes from the outside.
struct RetrainingSteps {
  // The model of this stage after training from start.
  std::function<Checkpoint(const Checkpoint& start, const RetrainingStage& stage)> train;
  // The compressed model of the strength whose file has the wanted size.
  std::function<Checkpoint(const TunableCompressor& compressor)> fit;
};

// Prunes as much as a file of the wanted size takes, trains the weights, plans again for the
// trained ones, prunes what is still too much and quantizes, and trains the centroids. What was
// pruned first stays pruned.
Checkpoint compress_and_retrain(const TunablePlanner& planner, const Recipe& recipe,
                                const RetrainingSteps& steps);
// Compresses, then trains.
Checkpoint compress_and_retrain(const TunableCalibrated& compressor, const Recipe& recipe,
                                const RetrainingSteps& steps);

}  // namespace ltz::compress
