#include "model/layers/adaptive_softmax.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "model/base/assert.h"
#include "model/kernels/kernels.h"
#include "model/kernels/scratch.h"

namespace ltz {
namespace {

void log_softmax(std::span<float> x) {
  const float normalizer = kernels::log_sum_exp(x);
  for (float& value : x) {
    value -= normalizer;
  }
}

void log_softmax_rows(MutableMatrixView x) {
  for (Eigen::Index i = 0; i < x.rows(); ++i) {
    log_softmax(row_of(x, i));
  }
}

// Rows whose logits of so many words are in memory at a time.
std::size_t rows_at_once(int words) {
  constexpr int kFloats = 1 << 20;
  return static_cast<std::size_t>(std::max(kFloats / words, 1));
}

// The rows of x at these places.
void gather(MatrixView x, std::span<const Eigen::Index> places, MutableMatrixView gathered) {
  for (std::size_t i = 0; i < places.size(); ++i) {
    gathered.row(static_cast<Eigen::Index>(i)) = x.row(places[i]);
  }
}

}  // namespace

AdaptiveSoftmax::Projection::Projection(const ParameterLookup& parameters, std::string name,
                                        int out, int in, bool transposed)
    : name_(std::move(name)),
      weight_(transposed ? &parameters.transposed(name_, out, in)
                         : &parameters.matrix(name_, out, in)),
      transposed_(transposed) {}

void AdaptiveSoftmax::Projection::operator()(MatrixView x, MutableMatrixView y) const {
  weight_->multiply(ProductRows(x, weight_->arithmetic()).all(), y);
}

AdaptiveSoftmax::AdaptiveSoftmax(const ParameterLookup& parameters, const ModelConfig& config)
    : width_(config.decoder.embed_dim), observer_(parameters.observer) {
  const std::vector<Band> bands = output_bands(config);
  const int classes = static_cast<int>(bands.size()) - 1;
  first_ = bands.front();
  if (!config.tie_adaptive_weights) {
    head_.emplace_back(parameters, output_table(config, 0), first_.size + classes, width_, false);
  } else {
    if (first_.width != width_) {
      narrowing_.emplace_back(parameters, kWordProjection, first_.width, width_, false);
    }
    head_.emplace_back(parameters, output_table(config, 0), first_.size, first_.width, false);
    if (classes > 0) {
      head_.emplace_back(parameters, kClassProjection, classes, width_, false);
    }
  }
  for (std::size_t b = 1; b < bands.size(); ++b) {
    const Band& band = bands[b];
    const bool tied = config.tie_adaptive_proj;
    const std::string projection = tied ? input_projection(b) : tail_projection(b - 1);
    tails_.push_back(
        {band, Projection(parameters, projection, band.width, width_, tied),
         Projection(parameters, output_table(config, b), band.size, band.width, false)});
  }
}

void AdaptiveSoftmax::head(MatrixView features, MutableMatrixView head) const {
  Scratch narrow(narrowing_.empty() ? 0 : features.rows(), first_.width);
  if (!narrowing_.empty()) {
    narrowing_.front()(features, *narrow);
  }
  const MatrixView inputs = narrowing_.empty() ? features : MatrixView(*narrow);
  head_.front()(inputs, head.leftCols(head_.front().out()));
  if (head_.size() > 1) {
    head_.back()(features, head.rightCols(head_.back().out()));
  }
  log_softmax_rows(head);
}

void AdaptiveSoftmax::log_probabilities(MatrixView features, MutableMatrixView all) const {
  const Eigen::Index rows = features.rows();
  Scratch head(rows, first_.size + static_cast<Eigen::Index>(tails()));
  this->head(features, *head);
  all.leftCols(first_.size) = head->leftCols(first_.size);
  for (std::size_t t = 0; t < tails(); ++t) {
    const Tail& tail = tails_[t];
    Scratch hidden(rows, tail.band.width);
    tail.projection(features, *hidden);
    MutableMatrixView words = all.middleCols(tail.band.first, tail.band.size);
    tail.words(*hidden, words);
    log_softmax_rows(words);
    words.colwise() += head->col(first_.size + static_cast<Eigen::Index>(t));
  }
}

std::vector<float> AdaptiveSoftmax::tail_log_probabilities(
    const Tail& tail, MatrixView features, std::span<const int> tokens,
    std::span<const Eigen::Index> places) const {
  const auto count = static_cast<Eigen::Index>(places.size());
  Scratch inputs(count, width_);
  Scratch hidden(count, tail.band.width);
  Scratch words(count, tail.band.size);
  gather(features, places, *inputs);
  tail.projection(*inputs, *hidden);
  tail.words(*hidden, *words);
  std::vector<float> found(places.size());
  const MatrixView logits(*words);
  for (std::size_t i = 0; i < places.size(); ++i) {
    const std::span<const float> row = row_of(logits, static_cast<Eigen::Index>(i));
    const int word = tokens[static_cast<std::size_t>(places[i])] - tail.band.first;
    found[i] = row[static_cast<std::size_t>(word)] - kernels::log_sum_exp(row);
  }
  return found;
}

std::vector<float> AdaptiveSoftmax::log_probabilities(MatrixView features,
                                                      std::span<const int> tokens) const {
  LTZ_ASSERT(tokens.size() == static_cast<std::size_t>(features.rows()));
  std::vector<float> found(tokens.size());
  Scratch head(features.rows(), first_.size + static_cast<Eigen::Index>(tails()));
  this->head(features, *head);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (first_.contains(tokens[i])) {
      found[i] = (*head)(static_cast<Eigen::Index>(i), tokens[i]);
    }
  }
  for (std::size_t t = 0; t < tails(); ++t) {
    const Tail& tail = tails_[t];
    std::vector<Eigen::Index> places;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      if (tail.band.contains(tokens[i])) {
        places.push_back(static_cast<Eigen::Index>(i));
      }
    }
    const std::size_t at_once = rows_at_once(tail.band.size);
    for (std::size_t begin = 0; begin < places.size(); begin += at_once) {
      const std::size_t count = std::min(at_once, places.size() - begin);
      const std::span<const Eigen::Index> some = std::span(places).subspan(begin, count);
      const std::vector<float> within = tail_log_probabilities(tail, features, tokens, some);
      for (std::size_t i = 0; i < count; ++i) {
        found[static_cast<std::size_t>(some[i])] =
            within[i] + (*head)(some[i], first_.size + static_cast<Eigen::Index>(t));
      }
    }
  }
  return found;
}

void AdaptiveSoftmax::observe_inputs(MatrixView features) const {
  if (!*observer_) {
    return;
  }
  const InputObserver& observer = *observer_;
  Scratch head(features.rows(), first_.size + static_cast<Eigen::Index>(tails()));
  this->head(features, *head);
  if (narrowing_.empty()) {
    observer(head_.front().name(), features);
  } else {
    Scratch narrow(features.rows(), first_.width);
    narrowing_.front()(features, *narrow);
    observer(narrowing_.front().name(), features);
    observer(head_.front().name(), *narrow);
  }
  if (head_.size() > 1) {
    observer(head_.back().name(), features);
  }
  for (std::size_t t = 0; t < tails(); ++t) {
    const Tail& tail = tails_[t];
    Scratch weighted(features.rows(), width_);
    Scratch hidden(features.rows(), tail.band.width);
    const auto probability = head->col(first_.size + static_cast<Eigen::Index>(t)).array().exp();
    *weighted = (features.array().colwise() * probability.sqrt()).matrix();
    tail.projection(*weighted, *hidden);
    if (tail.projection.observed()) {
      observer(tail.projection.name(), *weighted);
    }
    observer(tail.words.name(), *hidden);
  }
}

}  // namespace ltz
