#include <algorithm>

#include "model/base/assert.h"
#include "model/base/parallel.h"
#include "model/kernels/scratch.h"
#include "model/layers/layers.h"

namespace ltz {

void zero_padding(std::span<const Context> contexts, MutableMatrixView x) {
  for (std::size_t i = 0; i < contexts.size(); ++i) {
    if (contexts[i].is_padding) {
      x.row(static_cast<Eigen::Index>(i)).setZero();
    }
  }
}

Convolution::Convolution(const ParameterLookup& parameters, const std::string& prefix,
                         const Options& options)
    : options_(options), name_(prefix) {
  const BranchConfig& branch = options.branch;
  const int inner = branch.inner_channels();
  if (options.linear) {
    linear1_.emplace_back(parameters, prefix + ".linear1", branch.glu ? 2 * inner : inner,
                          branch.channels);
    linear2_.emplace_back(parameters, prefix + ".linear2", branch.channels, inner);
  }
  if (branch.type == BranchType::kDynamic) {
    weight_linear_.emplace_back(parameters, prefix + ".weight_linear", branch.heads * options.taps,
                                inner);
  } else {
    kernel_ = parameters(prefix + ".weight");
  }
}

void Convolution::project_in(MatrixView x, MutableMatrixView y) const {
  if (linear1_.empty()) {
    y = x;
  } else if (!options_.branch.glu) {
    linear1_.front()(x, y);
  } else {
    Scratch both(x.rows(), linear1_.front().out());
    linear1_.front()(x, *both);
    const MatrixView value_and_gate(*both);
    const auto channels = static_cast<std::size_t>(inner_channels());
    for (Eigen::Index i = 0; i < y.rows(); ++i) {
      const std::span<const float> row = row_of(value_and_gate, i);
      kernels::gated(row_of(y, i), row.first(channels), row.last(channels));
    }
  }
}

void Convolution::project_masked(MatrixView x, std::span<const Context> contexts,
                                 MutableMatrixView y) const {
  if (std::ranges::none_of(contexts, &Context::is_padding)) {
    project_in(x, y);
  } else if (options_.bias_in_padding) {
    Matrix masked = x;
    zero_padding(contexts, masked);
    project_in(masked, y);
  } else {
    project_in(x, y);
    zero_padding(contexts, y);
  }
}

void Convolution::make_kernels(MatrixView x, MutableMatrixView kernels) const {
  if (weight_linear_.empty()) {
    kernels = Eigen::Map<const Matrix>(kernel_.data(), kernels.rows(), kernels.cols());
  } else {
    weight_linear_.front()(x, kernels);
  }
  if (!options_.softmax) {
    return;
  }
  const auto taps = static_cast<std::size_t>(options_.taps);
  for (Eigen::Index i = 0; i < kernels.rows(); ++i) {
    for (std::span<float> heads = row_of(kernels, i); !heads.empty(); heads = heads.subspan(taps)) {
      kernels::softmax(heads.first(taps));
    }
  }
}

void Convolution::add_padding(std::span<float> out, std::span<const float> kernel,
                              const Context& context, const Matrix& padding) const {
  const int length = static_cast<int>(context.rows.size());
  const int left = (options_.taps - 1) / 2;
  const int begin = std::max(length - context.position + left, 0);
  const int end = std::min(begin + context.padding, options_.taps);
  const std::size_t width = out.size() / static_cast<std::size_t>(options_.branch.heads);
  for (std::size_t c = 0; c < out.size(); ++c) {
    const std::size_t head = c / width;
    for (int k = begin; k < end; ++k) {
      out[c] +=
          kernel[head * static_cast<std::size_t>(options_.taps) + static_cast<std::size_t>(k)] *
          padding(0, static_cast<Eigen::Index>(c));
    }
  }
}

Convolution::Window Convolution::window(const Context& context) const {
  // Odd kernels of the encoder are centred; of an even one the smaller half is to the left.
  const int left = options_.causal ? options_.taps - 1 : (options_.taps - 1) / 2;
  const int length = static_cast<int>(context.rows.size());
  const int first = std::max(context.position - left, 0);
  const int last = std::min(context.position - left + options_.taps, length);
  return {
      context.rows.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(last - first)),
      static_cast<std::size_t>(first - context.position + left)};
}

void Convolution::convolve(const Memory& memory, MatrixView kernels,
                           std::span<const Context> contexts, MutableMatrixView mixed) const {
  const double work = static_cast<double>(mixed.size()) * options_.taps;
  split_work(contexts.size(), work, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const auto row = static_cast<Eigen::Index>(i);
      const Window inside = window(contexts[i]);
      kernels::convolve(row_of(mixed, row),
                        {.rows = memory.rows(inside.rows),
                         .first_tap = inside.first_tap,
                         .kernel = row_of(kernels, kernels.rows() == 1 ? 0 : row),
                         .heads = options_.branch.heads});
    }
  });
}

void Convolution::operator()(MatrixView x, Memory& memory, std::span<const Context> contexts,
                             MutableMatrixView out) const {
  LTZ_ASSERT(contexts.size() == static_cast<std::size_t>(x.rows()));
  Eigen::Map<Matrix> inputs = memory.append(x.rows());
  project_masked(x, contexts, inputs);
  Scratch kernels(weight_linear_.empty() ? 1 : x.rows(),
                  Eigen::Index{options_.branch.heads} * options_.taps);
  make_kernels(inputs, *kernels);
  Scratch mixed(x.rows(), inner_channels());
  convolve(memory, *kernels, contexts, *mixed);
  if (options_.bias_in_padding &&
      std::ranges::any_of(contexts, [](const Context& c) { return c.padding > 0; })) {
    Matrix padding(1, inner_channels());
    const Matrix zeros = Matrix::Zero(1, options_.branch.channels);
    project_in(zeros, padding);
    MutableMatrixView to(*mixed);
    const MatrixView kernel_rows(*kernels);
    for (std::size_t i = 0; i < contexts.size(); ++i) {
      const auto row = static_cast<Eigen::Index>(i);
      add_padding(row_of(to, row), row_of(kernel_rows, kernels->rows() == 1 ? 0 : row), contexts[i],
                  padding);
    }
  }
  if (linear2_.empty()) {
    out = *mixed;
  } else {
    linear2_.front()(*mixed, out);
  }
}

}  // namespace ltz
