#include "compress/training/fisher.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "compress/training/training_batches.h"
#include "model/base/error.h"
#include "model/base/parallel.h"
#include "model/decoding/batching.h"
#include "model/training/training_loss.h"

namespace ltz::compress {
namespace {

// See clustering_importance.
constexpr double kClusteringFloor = 0.1;

// Reported at a time.
constexpr std::size_t kWave = 16 * kShards;

struct Share {
  Gradients gradients;  // of one sentence
  Gradients squares;

  void add_sentence(const Transformer& model, const TokenIds& source, const TokenIds& target) {
    gradients.clear();
    backward(model, nullptr, {&source, 1}, {&target, 1}, {.label_smoothing = 0.0}, gradients);
    for (const auto& [name, gradient] : gradients.values()) {
      const std::span<float> sum = squares[name];
      for (std::size_t i = 0; i < sum.size(); ++i) {
        sum[i] += gradient[i] * gradient[i];
      }
    }
  }
};

}  // namespace

Importance squared_gradients(const Transformer& model, const EncodedText& text,
                             const Progress& on_sentences) {
  // Sentences of about the same length come at the same time, so that no thread waits.
  std::vector<std::size_t> order;
  for (const std::vector<std::size_t>& batch : batches_of(text)) {
    order.insert(order.end(), batch.begin(), batch.end());
  }
  const Gradients zeros(model.config());
  std::vector<Share> shares(kShards, {zeros, zeros});
  for (std::size_t begin = 0; begin < order.size(); begin += kWave) {
    const std::size_t end = std::min(begin + kWave, order.size());
    parallel_for(kShards, [&](std::size_t share) {
      for (std::size_t i = begin + share; i < end; i += kShards) {
        shares[share].add_sentence(model, text.source[order[i]], text.target[order[i]]);
      }
    });
    if (on_sentences) {
      on_sentences(end, order.size());
    }
  }
  for (std::size_t share = 1; share < kShards; ++share) {
    for (const auto& [name, values] : shares[share].squares.values()) {
      shares[0].squares.add(shares[share].squares, name);
    }
  }
  Importance mean = shares[0].squares.values();
  const auto sentences = static_cast<float>(order.size());
  for (auto& [name, values] : mean) {
    for (float& value : values) {
      value /= sentences;
      if (!std::isfinite(value)) {
        throw ConfigError("tensor " + name + ": a gradient is not a finite number");
      }
    }
  }
  return mean;
}

std::vector<float> clustering_importance(const std::vector<float>& squared_gradients) {
  const double sum = std::accumulate(squared_gradients.begin(), squared_gradients.end(), 0.0);
  const double mean = sum / static_cast<double>(std::max<std::size_t>(squared_gradients.size(), 1));
  std::vector<float> importance(squared_gradients.size(), 1.0f);
  if (mean > 0.0) {
    std::ranges::transform(squared_gradients, importance.begin(), [&](float square) {
      return static_cast<float>(square / mean + kClusteringFloor);
    });
  }
  return importance;
}

}  // namespace ltz::compress
