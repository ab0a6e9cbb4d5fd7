#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/checkpoint/config.h"

namespace ltz::eval {

// Bytes of an artifact by what they are for. Their sum is the file.
struct ArtifactBytes {
  std::int64_t artifact = 0;    // the whole file
  std::int64_t embedding = 0;   // payloads of embedding tables
  std::int64_t vocabulary = 0;  // dictionaries and merges
  std::int64_t model = 0;       // everything else: payloads, codebooks, tables, headers
};

// The three ratios, each with the bytes it is made of.
struct SizeReport {
  ArtifactBytes bytes;
  std::int64_t fp32 = 0;                // 4 bytes for each parameter
  std::int64_t fp32_non_embedding = 0;  // the same without embeddings
  std::int64_t baseline = 0;            // 4 bytes for each parameter of the paper's baseline
  double file_ratio = 0.0;              // fp32 / artifact
  double model_ratio = 0.0;             // fp32_non_embedding / model
  double paper_ratio = 0.0;             // baseline / model
  double bits_per_weight = 0.0;         // 8 * model / non-embedding parameters
};

SizeReport size_report(const ModelConfig& config, const ArtifactBytes& bytes,
                       std::int64_t baseline_parameters);

// A limit on a ratio: "18.2" and "paper=18.2" are the paper's, "file=4" and "model=8" the others.
struct RatioLimit {
  std::string ratio = "paper";
  double limit = 0.0;
};

// Throws ConfigError for anything else.
RatioLimit parse_ratio_limit(std::string_view text);

struct GateLimits {
  std::vector<RatioLimit> min_ratios;
  std::optional<double> max_bleu_drop;
  std::optional<double> min_bleu;
  std::optional<std::int64_t> max_bytes;
};

// What was measured; BLEU only where a test set was given.
struct Measured {
  SizeReport size;
  std::optional<double> bleu_reference;
  std::optional<double> bleu_artifact;
};

struct Gate {
  std::string name;
  bool passed = false;
  double value = 0.0;
  double limit = 0.0;
};

// One gate per limit, in a fixed order. Throws ConfigError when a limit needs a BLEU that was not
// measured.
std::vector<Gate> check_gates(const GateLimits& limits, const Measured& measured);

bool all_passed(const std::vector<Gate>& gates);

}  // namespace ltz::eval
