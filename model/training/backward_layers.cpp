#include "model/base/blas.h"
#include "model/checkpoint/parameter_names.h"
#include "model/kernels/scratch.h"
#include "model/layers/layers.h"
#include "model/layers/transformer_layers.h"
#include "model/training/backward_kernels.h"

namespace ltz {

void Linear::backward_inputs(MatrixView dy, MutableMatrixView dx) const {
  Scratch weights(weight_->out(), weight_->in());
  weight_->unpack(*weights);
  dx.noalias() += dy * *weights;
}

void Linear::backward_parameters(MatrixView x, MatrixView dy, Gradients& gradients) const {
  Eigen::Map<Matrix> dweight(gradients[name_].data(), weight_->out(), weight_->in());
  dweight.noalias() += dy.transpose() * x;
  if (!bias_.empty()) {
    Eigen::Map<RowVector>(gradients[bias_of(name_)].data(), weight_->out()) += dy.colwise().sum();
  }
}

void Linear::backward(MatrixView x, MatrixView dy, MutableMatrixView dx,
                      Gradients& gradients) const {
  backward_parameters(x, dy, gradients);
  backward_inputs(dy, dx);
}

void Transformer::logits_backward(MatrixView features, MatrixView dlogits,
                                  MutableMatrixView dfeatures, Gradients& gradients) const {
  if (layers_->adaptive_softmax) {
    layers_->adaptive_softmax->backward(features, dlogits, dfeatures, gradients);
    return;
  }
  const WeightMatrix& table = *layers_->output;
  Eigen::Map<Matrix> dtable(gradients[output_table(config_)].data(), table.out(), table.in());
  dtable.noalias() += dlogits.transpose() * features;
  Scratch weights(table.out(), table.in());
  table.unpack(*weights);
  dfeatures.noalias() += dlogits * *weights;
}

void LayerNorm::backward(MatrixView x, MatrixView dy, MutableMatrixView dx,
                         Gradients& gradients) const {
  const std::span<float> dgain = gradients[name_ + ".weight"];
  const std::span<float> dbias = gradients[name_ + ".bias"];
  for (Eigen::Index i = 0; i < x.rows(); ++i) {
    kernels::layer_norm_backward(row_of(x, i), gain_, row_of(dy, i),
                                 {.x = row_of(dx, i), .gain = dgain, .bias = dbias});
  }
}

void FeedForward::backward(MatrixView x, MatrixView dout, MutableMatrixView dx,
                           Gradients& gradients) const {
  Scratch before(x.rows(), fc1_.out());
  fc1_(x, *before);
  Scratch hidden(x.rows(), fc1_.out());
  Scratch dhidden(x.rows(), fc1_.out());
  dhidden->setZero();
  if (activation_ == Activation::kRelu) {
    *hidden = before->cwiseMax(0.0f);
    fc2_.backward(*hidden, dout, *dhidden, gradients);
    *dhidden = (before->array() > 0.0f).select(*dhidden, 0.0f);
  } else {
    *hidden = *before;
    MutableMatrixView y(*hidden);
    MutableMatrixView dy(*dhidden);
    for (Eigen::Index i = 0; i < x.rows(); ++i) {
      kernels::activate(row_of(y, i), activation_);
    }
    fc2_.backward(*hidden, dout, *dhidden, gradients);
    for (Eigen::Index i = 0; i < x.rows(); ++i) {
      kernels::activation_backward(row_of(dy, i), row_of(MatrixView(*before), i), activation_);
    }
  }
  fc1_.backward(x, *dhidden, dx, gradients);
}

void Attention::backward(const Inputs& inputs, MatrixView dout, InputGradients d,
                         Gradients& gradients) const {
  const auto& [x, remembered, contexts] = inputs;
  const int width = query_.out();
  Scratch queries(x.rows(), width);
  Scratch keys(remembered.rows(), width);
  Scratch values(remembered.rows(), width);
  query_(x, *queries);
  key_(remembered, *keys);
  value_(remembered, *values);
  // dmixed is the gradient by the input of out_, mixed; attend_backward computes mixed again.
  Scratch mixed(x.rows(), width);
  Scratch dmixed(x.rows(), width);
  Scratch dqueries(x.rows(), width);
  Scratch dkeys(remembered.rows(), width);
  Scratch dvalues(remembered.rows(), width);
  for (Scratch* sums : {&dmixed, &dqueries, &dkeys, &dvalues}) {
    (*sums)->setZero();
  }
  out_.backward_inputs(dout, *dmixed);
  std::vector<float> scratch;
  MutableMatrixView out_rows(*mixed);
  MutableMatrixView dquery_rows(*dqueries);
  const auto stride = static_cast<std::size_t>(width);
  for (Eigen::Index i = 0; i < x.rows(); ++i) {
    const std::span<const std::int32_t> rows = contexts[static_cast<std::size_t>(i)].attended;
    scratch.resize(2 * rows.size());
    kernels::attend_backward(row_of(out_rows, i),
                             {.query = row_of(MatrixView(*queries), i),
                              .heads = heads_,
                              .keys = {keys->data(), stride, rows},
                              .values = {values->data(), stride, rows}},
                             row_of(MatrixView(*dmixed), i),
                             {.query = row_of(dquery_rows, i),
                              .keys = {dkeys->data(), stride, rows},
                              .values = {dvalues->data(), stride, rows}},
                             scratch);
  }
  out_.backward_parameters(*mixed, dout, gradients);
  query_.backward(x, *dqueries, d.x, gradients);
  key_.backward(remembered, *dkeys, d.remembered, gradients);
  value_.backward(remembered, *dvalues, d.remembered, gradients);
}

void SelfMixing::backward(MatrixView x, std::span<const Context> contexts, MatrixView dout,
                          MutableMatrixView dx, Gradients& gradients) const {
  Eigen::Index offset = 0;
  for (const Branch& branch : branches_) {
    const MatrixView part = x.middleCols(offset, branch.channels);
    const MatrixView dpart_out = dout.middleCols(offset, branch.channels);
    MutableMatrixView dpart = dx.middleCols(offset, branch.channels);
    if (const auto* attention = std::get_if<Attention>(&branch.layer)) {
      attention->backward({part, part, contexts}, dpart_out, {dpart, dpart}, gradients);
    } else {
      std::get<Convolution>(branch.layer).backward(part, contexts, dpart_out, dpart, gradients);
    }
    offset += branch.channels;
  }
}

}  // namespace ltz
