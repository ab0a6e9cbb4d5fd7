#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>

#include "compress/training/finetune.h"

namespace ltz::cli {

// What the command line says about a training; what it does not say stays as it is.
struct TrainingOptions {
  std::optional<double> epochs;
  std::optional<double> minutes;
  std::optional<double> learning_rate;
  std::optional<std::size_t> batch_tokens;
  std::optional<double> label_smoothing;
  std::optional<double> distillation;
  std::optional<compress::Selection> select;
  std::optional<double> rate_weight;
  std::optional<double> code_bits;
  std::optional<std::uint64_t> seed;

  bool given() const;
  compress::FinetuneOptions applied_to(compress::FinetuneOptions training) const;
};
// --epochs, --minutes, --learning-rate, --batch-tokens, --label-smoothing, --distillation,
// --select, --rate-weight, --code-bits, --train-seed
void add_training(CLI::App& command, TrainingOptions& options);

}  // namespace ltz::cli
