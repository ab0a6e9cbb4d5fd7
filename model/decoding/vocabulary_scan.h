#pragma once

#include <functional>
#include <limits>
#include <span>
#include <vector>

#include "model/kernels/kernels.h"
#include "model/layers/transformer.h"

namespace ltz {

// Logits of kTokens neighbouring tokens of one row; behind the vocabulary's last one, -infinity.
struct LogitBlock {
  static constexpr int kTokens = 128;

  Eigen::Index row;
  int first;                                       // token
  std::span<float> logits;                         // (kTokens), may be written to
  std::span<const float, kernels::kLanes> maxima;  // see kernels::max_of_lanes
  float largest;
  // Blocks of the same shard and row are visited by one thread, one after the other. Which shards
  // there are, of those below vocabulary_shards(), depends on the threads.
  std::size_t shard;
};

std::size_t vocabulary_shards(const Transformer& model);

// Visits the logits of all rows for all tokens while they are in the cache: the whole matrix, some
// hundred times as large as the features, is never made. Those of an adaptive softmax are log
// probabilities. features: (n, channels), see
// Transformer::decode. Returns log(sum(exp(logits))) of each row, with the logits from before they
// were visited; it does not depend on the threads.
std::vector<float> scan_vocabulary(const Transformer& model, MatrixView features,
                                   const std::function<void(const LogitBlock&)>& visit);

// log(sum(exp(x))) of values that come in blocks.
class RunningLogSumExp {
 public:
  // largest: of x.
  void add(std::span<const float> x, float largest);
  void add(const RunningLogSumExp& other);
  float value() const;

 private:
  void raise(float largest);

  float largest_ = -std::numeric_limits<float>::infinity();
  float sum_ = 0.0f;  // of exp(x - largest_)
};

}  // namespace ltz
