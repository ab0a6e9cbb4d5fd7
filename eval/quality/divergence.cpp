#include "eval/quality/divergence.h"

#include "model/base/parallel.h"
#include "model/kernels/kernels.h"

namespace ltz::eval {
namespace {

// Log-probabilities of one batch, (target tokens, vocabulary).
Matrix log_probabilities(const CachedReading& reading, std::size_t batch) {
  Matrix logits = reading.model().logits(reading.features(batch));
  for (Eigen::Index row = 0; row < logits.rows(); ++row) {
    logits.row(row).array() -=
        kernels::log_sum_exp({logits.row(row).data(), static_cast<std::size_t>(logits.cols())});
  }
  return logits;
}

}  // namespace

Divergence::Divergence(const CachedReading& reference) : reference_(reference.batches()) {
  parallel_for(reference_.size(),
               [&](std::size_t b) { reference_[b] = log_probabilities(reference, b); });
}

double Divergence::of(const CachedReading& reading) const {
  std::vector<double> sums(reference_.size());
  parallel_for(reference_.size(), [&](std::size_t b) {
    const Matrix found = log_probabilities(reading, b);
    for (Eigen::Index row = 0; row < found.rows(); ++row) {
      const auto expected = reference_[b].row(row).array();
      sums[b] += static_cast<double>((expected.exp() * (expected - found.row(row).array())).sum());
    }
  });
  double sum = 0.0;
  Eigen::Index tokens = 0;
  for (std::size_t b = 0; b < reference_.size(); ++b) {
    sum += sums[b];
    tokens += reference_[b].rows();
  }
  return tokens == 0 ? 0.0 : sum / static_cast<double>(tokens);
}

}  // namespace ltz::eval
