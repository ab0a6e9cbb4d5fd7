#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "eval/scores/bootstrap.h"
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
  // Whether the model has about as many parameters without embeddings as the one that the paper
  // compresses 18.2 times (WMT'14 En-Fr, 17.3 million), or a language model as many as that of
  // Table 5 (37.2 million). For others the ratio to the paper's baseline says mostly how small they
  // were before.
  bool papers_size = false;
  bool language_model = false;  // of which the paper compresses none
};

SizeReport size_report(const ModelConfig& config, const ArtifactBytes& bytes,
                       std::int64_t baseline_parameters);

// A limit on a ratio: "file=4", "model=8" or "paper=18.2".
struct RatioLimit {
  std::string ratio;
  double limit = 0.0;
};

// Throws ConfigError for anything else, a number that does not say of which ratio included.
RatioLimit parse_ratio_limit(std::string_view text);

// "1%" is 1. Throws ConfigError without the sign, and for less than 0.
double parse_percentage(std::string_view text);

struct GateLimits {
  std::vector<RatioLimit> min_ratios;
  std::optional<double> max_bits;  // per weight
  std::optional<std::int64_t> max_bytes;
  std::optional<double> max_bleu_drop;
  std::optional<double> min_bleu;
  std::optional<double> max_nll_increase;  // nats per target token
  std::optional<double> max_ppl_increase;  // percent of the reference's perplexity
  // Percent, relative to an older artifact: of bytes and NLL what they may gain, of BLEU what it
  // may lose.
  std::optional<double> max_growth;
  // Gates on BLEU fail only where the whole interval that was measured is beyond the limit.
  bool by_interval = false;

  bool any() const;
  // Whether there is one that only a test set can answer.
  bool need_text() const;
  // Whether there is one on BLEU, which language models have not, or on the likelihood.
  bool on_bleu() const { return max_bleu_drop || min_bleu; }
  bool on_likelihood() const { return max_nll_increase || max_ppl_increase; }
  // The most that both limits on the likelihood let NLL grow, in nats; nothing without one.
  std::optional<double> nll_increase() const;
};

// Quality of a model on the test set: what was measured of it.
struct MeasuredQuality {
  std::optional<double> bleu;
  std::optional<double> nll;  // nats per target token; perplexity is exp of it
};

// How much more perplexity that is, in percent. In nats per token.
double perplexity_increase(double nll_before, double nll_after);

// What was measured; quality only where a test set was given.
struct Measured {
  SizeReport size;
  MeasuredQuality reference;
  MeasuredQuality artifact;
  std::optional<Interval> bleu_interval;  // of the artifact's BLEU
  std::optional<Interval> drop_interval;  // of reference - artifact

  struct Previous {  // an older artifact
    std::int64_t bytes = 0;
    MeasuredQuality quality;
    std::optional<Interval> loss_interval;  // of its BLEU - the artifact's
  };
  std::optional<Previous> previous;
};

struct Gate {
  std::string name;
  bool passed = false;
  double value = 0.0;
  double limit = 0.0;
  bool upper = false;                // the value may be at most, not at least, the limit
  bool percent = false;              // value, limit and interval are
  std::optional<Interval> interval;  // of the value, where it decided
};

// One gate per limit, in a fixed order; three for the growth with a test set. Throws ConfigError
// when a limit needs what was not measured.
std::vector<Gate> check_gates(const GateLimits& limits, const Measured& measured);

bool all_passed(const std::vector<Gate>& gates);

}  // namespace ltz::eval
