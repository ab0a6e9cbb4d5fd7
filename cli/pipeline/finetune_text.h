#pragma once

#include <string>

#include "cli/pipeline/events.h"
#include "compress/training/finetune.h"
#include "eval/quality/evaluate.h"

// Retraining on texts.
namespace ltz::pipeline {

struct FinetuneInputs {
  const Checkpoint& start;
  const Checkpoint* teacher = nullptr;  // the uncompressed model, for distillation
  const eval::ParallelText& text;
  const eval::ParallelText& development;  // may be empty: then the last model is the result
};

struct FinetuneTextOptions {
  compress::FinetuneOptions training;
  eval::EvaluationOptions evaluation;  // how BLEU is measured, with Selection::kBleu
  std::string state;  // file to keep the training in, and to go on from; none if it is empty
};

// Trains on the text and returns the best model on the development set, see compress::finetune.
// Sentences longer than an update or than the model takes are left out. Throws ConfigError as
// compress::finetune does, and FormatError for a state of another training.
Checkpoint finetune_text(const FinetuneInputs& inputs, const FinetuneTextOptions& options,
                         const Events& events = {});

}  // namespace ltz::pipeline
