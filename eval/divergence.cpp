#include "eval/divergence.h"

#include <fmt/format.h>

#include <span>
#include <utility>

#include "model/error.h"
#include "model/kernels.h"
#include "model/parallel.h"

namespace ltz::eval {

Divergence::Divergence(const Transformer& reference, std::vector<TokenIds> sources,
                       std::vector<TokenIds> targets)
    : sources_(std::move(sources)), targets_(std::move(targets)) {
  if (sources_.size() != targets_.size()) {
    throw ConfigError(fmt::format("expected as many targets as sources, found {} and {}",
                                  targets_.size(), sources_.size()));
  }
  batches_ = batch_by_length(targets_).batches;
  reference_.resize(batches_.size());
  parallel_for(batches_.size(),
               [&](std::size_t b) { reference_[b] = log_probabilities(reference, batches_[b]); });
}

double Divergence::of(const Transformer& model) const {
  std::vector<double> sums(batches_.size());
  parallel_for(batches_.size(), [&](std::size_t b) {
    const Matrix found = log_probabilities(model, batches_[b]);
    for (Eigen::Index row = 0; row < found.rows(); ++row) {
      const auto expected = reference_[b].row(row).array();
      sums[b] += static_cast<double>((expected.exp() * (expected - found.row(row).array())).sum());
    }
  });
  double sum = 0.0;
  Eigen::Index tokens = 0;
  for (std::size_t b = 0; b < batches_.size(); ++b) {
    sum += sums[b];
    tokens += reference_[b].rows();
  }
  return tokens == 0 ? 0.0 : sum / static_cast<double>(tokens);
}

Matrix Divergence::log_probabilities(const Transformer& model,
                                     const std::vector<std::size_t>& batch) const {
  Matrix logits = model.logits(
      teacher_forced_features(model, gather(sources_, batch), gather(targets_, batch)));
  for (Eigen::Index row = 0; row < logits.rows(); ++row) {
    logits.row(row).array() -=
        kernels::log_sum_exp({logits.row(row).data(), static_cast<std::size_t>(logits.cols())});
  }
  return logits;
}

}  // namespace ltz::eval
