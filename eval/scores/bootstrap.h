#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "eval/scores/bleu.h"
#include "eval/scores/chrf.h"

// How sure a score is: bootstrap resampling of the test set (Koehn 2004, "Statistical Significance
// Tests for Machine Translation Evaluation"). A sample has as many sentences as the test set, drawn
// from it with replacement.
namespace ltz::eval {

struct BootstrapOptions {
  int samples = 1000;
  std::uint64_t seed = 12345;
  double confidence = 95.0;  // percent of the samples that an interval holds, below 100
};

// Score of a sample; sentences: their numbers, in any order, some more than once.
using SampleScore = std::function<double(std::span<const std::size_t> sentences)>;

SampleScore bleu_of_sample(std::vector<BleuStatistics> statistics, BleuSmoothing smoothing);
SampleScore chrf_of_sample(std::vector<ChrfStatistics> statistics, const ChrfOptions& options);
// For metrics that are the mean over sentences.
SampleScore mean_of_sample(std::vector<double> scores);

struct Interval {
  double low = 0.0;
  double high = 0.0;
};

struct Confidence {
  double mean = 0.0;        // of the samples' scores
  double half_width = 0.0;  // of the interval
  Interval interval;        // that holds most of them
};

// Confidence of a score over this many sentences. The same samples for the same number of sentences
// and options, on every machine. Throws ConfigError for no sentence or no sample.
Confidence bootstrap(std::size_t sentences, const SampleScore& score,
                     const BootstrapOptions& options);

// first - second, two systems on the same test set.
struct PairedDifference {
  double observed = 0.0;  // on the test set itself
  double mean = 0.0;      // of the samples
  double low = 0.0;       // most of the samples lie between these
  double high = 0.0;
  // Probability of a difference as large as the observed one if the systems were equally good:
  // share of samples whose absolute difference exceeds its mean by that much, the observation
  // counted in (two-sided, as in sacreBLEU's paired-bs). A system against itself: 1.
  double p_value = 1.0;
};

// Both systems are scored on the same samples. Throws as bootstrap does.
PairedDifference paired_bootstrap(std::size_t sentences, const SampleScore& first,
                                  const SampleScore& second, const BootstrapOptions& options);

}  // namespace ltz::eval
