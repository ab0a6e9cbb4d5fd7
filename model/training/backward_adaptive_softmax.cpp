#include "model/kernels/kernels.h"
#include "model/kernels/scratch.h"
#include "model/layers/adaptive_softmax.h"

namespace ltz {
namespace {

// dy, the gradient by y = log_softmax(x), becomes the one by x.
void log_softmax_backward(MutableMatrixView dy, MatrixView y) {
  for (Eigen::Index i = 0; i < dy.rows(); ++i) {
    const float sum = dy.row(i).sum();
    dy.row(i).array() -= y.row(i).array().exp() * sum;
  }
}

}  // namespace

void AdaptiveSoftmax::Projection::backward(MatrixView x, MatrixView dy, MutableMatrixView dx,
                                           Gradients& gradients) const {
  const std::span<float> dweight = gradients[name_];
  if (transposed_) {
    Eigen::Map<Matrix>(dweight.data(), weight_->in(), weight_->out()).noalias() +=
        x.transpose() * dy;
  } else {
    Eigen::Map<Matrix>(dweight.data(), weight_->out(), weight_->in()).noalias() +=
        dy.transpose() * x;
  }
  Scratch weights(weight_->out(), weight_->in());
  weight_->unpack(*weights);
  dx.noalias() += dy * *weights;
}

void AdaptiveSoftmax::head_backward(MatrixView features, MatrixView dhead,
                                    MutableMatrixView dfeatures, Gradients& gradients) const {
  const auto words = dhead.leftCols(head_.front().out());
  if (narrowing_.empty()) {
    head_.front().backward(features, words, dfeatures, gradients);
  } else {
    Scratch narrow(features.rows(), first_.width);
    Scratch dnarrow(features.rows(), first_.width);
    narrowing_.front()(features, *narrow);
    dnarrow->setZero();
    head_.front().backward(*narrow, words, *dnarrow, gradients);
    narrowing_.front().backward(features, *dnarrow, dfeatures, gradients);
  }
  if (head_.size() > 1) {
    head_.back().backward(features, dhead.rightCols(head_.back().out()), dfeatures, gradients);
  }
}

void AdaptiveSoftmax::backward(MatrixView features, MatrixView dall, MutableMatrixView dfeatures,
                               Gradients& gradients) const {
  const Eigen::Index rows = features.rows();
  const auto columns = first_.size + static_cast<Eigen::Index>(tails());
  Scratch head(rows, columns);
  Scratch dhead(rows, columns);
  this->head(features, *head);
  dhead->leftCols(first_.size) = dall.leftCols(first_.size);
  for (std::size_t t = 0; t < tails(); ++t) {
    const Tail& tail = tails_[t];
    const auto dtail = dall.middleCols(tail.band.first, tail.band.size);
    dhead->col(first_.size + static_cast<Eigen::Index>(t)) = dtail.rowwise().sum();
    Scratch hidden(rows, tail.band.width);
    Scratch words(rows, tail.band.size);
    Scratch dwords(rows, tail.band.size);
    Scratch dhidden(rows, tail.band.width);
    tail.projection(features, *hidden);
    tail.words(*hidden, *words);
    MutableMatrixView logits(*words);
    for (Eigen::Index i = 0; i < rows; ++i) {
      const float normalizer = kernels::log_sum_exp(row_of(logits, i));
      words->row(i).array() -= normalizer;
    }
    *dwords = dtail;
    log_softmax_backward(*dwords, *words);
    dhidden->setZero();
    tail.words.backward(*hidden, *dwords, *dhidden, gradients);
    tail.projection.backward(features, *dhidden, dfeatures, gradients);
  }
  log_softmax_backward(*dhead, *head);
  head_backward(features, *dhead, dfeatures, gradients);
}

}  // namespace ltz
