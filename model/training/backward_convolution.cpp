#include <algorithm>

#include "model/kernels/scratch.h"
#include "model/layers/layers.h"
#include "model/training/backward_kernels.h"

namespace ltz {

void Convolution::project_back(MatrixView x, MatrixView dinputs, MutableMatrixView dx,
                               Gradients& gradients) const {
  if (linear1_.empty()) {
    dx += dinputs;
    return;
  }
  const Linear& linear = linear1_.front();
  if (!options_.branch.glu) {
    linear.backward(x, dinputs, dx, gradients);
    return;
  }
  Scratch both(x.rows(), linear.out());
  linear(x, *both);
  Scratch dboth(x.rows(), linear.out());
  dboth->setZero();
  const MatrixView value_and_gate(*both);
  MutableMatrixView dvalue_and_gate(*dboth);
  const auto channels = static_cast<std::size_t>(inner_channels());
  for (Eigen::Index i = 0; i < x.rows(); ++i) {
    const std::span<const float> row = row_of(value_and_gate, i);
    const std::span<float> drow = row_of(dvalue_and_gate, i);
    kernels::gated_backward(row.first(channels), row.last(channels), row_of(dinputs, i),
                            drow.first(channels), drow.last(channels));
  }
  linear.backward(x, *dboth, dx, gradients);
}

void Convolution::kernels_back(MatrixView inputs, MatrixView kernels, MutableMatrixView dkernels,
                               MutableMatrixView dinputs, Gradients& gradients) const {
  if (options_.softmax) {
    const auto taps = static_cast<std::size_t>(options_.taps);
    for (Eigen::Index i = 0; i < kernels.rows(); ++i) {
      const std::span<const float> row = row_of(kernels, i);
      const std::span<float> drow = row_of(dkernels, i);
      for (std::size_t head = 0; head < row.size(); head += taps) {
        kernels::softmax_backward(drow.subspan(head, taps), row.subspan(head, taps));
      }
    }
  }
  if (weight_linear_.empty()) {
    Eigen::Map<Matrix>(gradients[name_ + ".weight"].data(), kernels.rows(), kernels.cols()) +=
        dkernels;
  } else {
    weight_linear_.front().backward(inputs, dkernels, dinputs, gradients);
  }
}

void Convolution::convolve_back(MatrixView inputs, MatrixView kernels,
                                std::span<const Context> contexts, MatrixView dmixed,
                                MutableMatrixView dinputs, MutableMatrixView dkernels) const {
  dkernels.setZero();
  const auto width = static_cast<std::size_t>(inputs.cols());
  for (Eigen::Index i = 0; i < dmixed.rows(); ++i) {
    const Window inside = window(contexts[static_cast<std::size_t>(i)]);
    const Eigen::Index kernel = kernels.rows() == 1 ? 0 : i;
    kernels::convolve_backward(
        {.rows = {inputs.data(), width, inside.rows},
         .first_tap = inside.first_tap,
         .kernel = row_of(kernels, kernel),
         .heads = options_.branch.heads},
        row_of(dmixed, i),
        {.rows = {dinputs.data(), width, inside.rows}, .kernel = row_of(dkernels, kernel)});
  }
}

void Convolution::backward(MatrixView x, std::span<const Context> contexts, MatrixView dout,
                           MutableMatrixView dx, Gradients& gradients) const {
  Memory memory = empty_memory();
  Eigen::Map<Matrix> inputs = memory.append(x.rows());
  project_masked(x, contexts, inputs);
  const Eigen::Index weights = Eigen::Index{options_.branch.heads} * options_.taps;
  Scratch kernels(weight_linear_.empty() ? 1 : x.rows(), weights);
  make_kernels(inputs, *kernels);
  Scratch mixed(x.rows(), inner_channels());
  Scratch dmixed(x.rows(), inner_channels());
  if (linear2_.empty()) {
    *dmixed = dout;
  } else {
    convolve(memory, *kernels, contexts, *mixed);
    dmixed->setZero();
    linear2_.front().backward(*mixed, dout, *dmixed, gradients);
  }
  Scratch dkernels(kernels->rows(), weights);
  Scratch dinputs(x.rows(), inner_channels());
  dinputs->setZero();
  convolve_back(inputs, *kernels, contexts, *dmixed, *dinputs, *dkernels);
  kernels_back(inputs, *kernels, *dkernels, *dinputs, gradients);
  if (std::ranges::none_of(contexts, &Context::is_padding)) {
    project_back(x, *dinputs, dx, gradients);
    return;
  }
  Matrix masked = x;
  Matrix dmasked = Matrix::Zero(x.rows(), x.cols());
  zero_padding(contexts, options_.bias_in_padding ? MutableMatrixView(masked) : *dinputs);
  project_back(masked, *dinputs, dmasked, gradients);
  zero_padding(contexts, dmasked);
  dx += dmasked;
}

}  // namespace ltz
