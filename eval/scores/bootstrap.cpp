#include "eval/scores/bootstrap.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

#include "model/base/error.h"

namespace ltz::eval {
namespace {

// Draws samples. std::uniform_int_distribution is not the same in every standard library, the
// generator is.
class Sampler {
 public:
  Sampler(std::size_t sentences, std::uint64_t seed) : generator_(seed), sample_(sentences) {}

  std::span<const std::size_t> next() {
    for (std::size_t& sentence : sample_) {
      sentence = index();
    }
    return sample_;
  }

 private:
  std::size_t index() {
    const std::uint64_t count = sample_.size();
    // Numbers from the last, incomplete round of `count` would favour the first sentences.
    constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
    const std::uint64_t limit = kMost - kMost % count;
    std::uint64_t number = generator_();
    while (number >= limit) {
      number = generator_();
    }
    return static_cast<std::size_t>(number % count);
  }

  std::mt19937_64 generator_;
  std::vector<std::size_t> sample_;
};

void check(std::size_t sentences, const BootstrapOptions& options) {
  if (sentences == 0) {
    throw ConfigError("there is no sentence to resample");
  }
  if (options.samples < 1) {
    throw ConfigError(
        fmt::format("expected at least one bootstrap sample, found {}", options.samples));
  }
  if (!(options.confidence > 0.0 && options.confidence < 100.0)) {
    throw ConfigError(fmt::format("expected a confidence above 0% and below 100%, found {}%",
                                  options.confidence));
  }
}

// The middle: of 95%, a fortieth is cut off at each end, rounded down as sacreBLEU does.
Interval middle(std::vector<double> values, double percent) {
  std::ranges::sort(values);
  const double share = (100.0 - percent) / 200.0;
  // A hair more, for shares that are whole but for rounding.
  const auto cut = static_cast<std::size_t>(share * static_cast<double>(values.size()) + 1e-9);
  return {values[cut], values[values.size() - 1 - cut]};
}

double mean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

}  // namespace

SampleScore bleu_of_sample(std::vector<BleuStatistics> statistics, BleuSmoothing smoothing) {
  return [statistics = std::move(statistics), smoothing](std::span<const std::size_t> sentences) {
    BleuStatistics corpus;
    for (const std::size_t sentence : sentences) {
      corpus += statistics[sentence];
    }
    return score(corpus, smoothing).score;
  };
}

SampleScore chrf_of_sample(std::vector<ChrfStatistics> statistics, const ChrfOptions& options) {
  return [statistics = std::move(statistics), options](std::span<const std::size_t> sentences) {
    ChrfStatistics corpus;
    for (const std::size_t sentence : sentences) {
      corpus += statistics[sentence];
    }
    return score(corpus, options);
  };
}

SampleScore mean_of_sample(std::vector<double> scores) {
  return [scores = std::move(scores)](std::span<const std::size_t> sentences) {
    double total = 0.0;
    for (const std::size_t sentence : sentences) {
      total += scores[sentence];
    }
    return total / static_cast<double>(sentences.size());
  };
}

Confidence bootstrap(std::size_t sentences, const SampleScore& score,
                     const BootstrapOptions& options) {
  check(sentences, options);
  Sampler sampler(sentences, options.seed);
  std::vector<double> scores(static_cast<std::size_t>(options.samples));
  std::ranges::generate(scores, [&] { return score(sampler.next()); });
  const Interval interval = middle(scores, options.confidence);
  return {.mean = mean(scores),
          .half_width = (interval.high - interval.low) / 2.0,
          .interval = interval};
}

PairedDifference paired_bootstrap(std::size_t sentences, const SampleScore& first,
                                  const SampleScore& second, const BootstrapOptions& options) {
  check(sentences, options);
  const auto difference = [&](std::span<const std::size_t> sample) {
    return first(sample) - second(sample);
  };
  std::vector<std::size_t> all(sentences);
  std::iota(all.begin(), all.end(), std::size_t{0});
  Sampler sampler(sentences, options.seed);
  std::vector<double> differences(static_cast<std::size_t>(options.samples));
  std::ranges::generate(differences, [&] { return difference(sampler.next()); });

  PairedDifference result;
  result.observed = difference(all);
  result.mean = mean(differences);
  const Interval interval = middle(differences, options.confidence);
  result.low = interval.low;
  result.high = interval.high;
  std::vector<double> sizes = differences;
  std::ranges::for_each(sizes, [](double& value) { value = std::abs(value); });
  const double mean_size = mean(sizes);
  // sacreBLEU asks for more than the observed difference, which makes a system significantly
  // different from itself; at least as much does not.
  const auto as_large = std::ranges::count_if(
      sizes, [&](double size) { return size - mean_size >= std::abs(result.observed); });
  result.p_value =
      (static_cast<double>(as_large) + 1.0) / (static_cast<double>(differences.size()) + 1.0);
  return result;
}

}  // namespace ltz::eval
