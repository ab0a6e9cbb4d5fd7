#include "model/layers.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "model/kernels.h"

namespace ltz {
namespace {

std::span<float> row_of(Matrix& matrix, Eigen::Index row) {
  return {matrix.data() + row * matrix.cols(), static_cast<std::size_t>(matrix.cols())};
}

std::span<const float> row_of(const Matrix& matrix, Eigen::Index row) {
  return {matrix.data() + row * matrix.cols(), static_cast<std::size_t>(matrix.cols())};
}

}  // namespace

void RowStore::append(const Matrix& rows) {
  values_.insert(values_.end(), rows.data(), rows.data() + rows.size());
}

void RowStore::keep(std::span<const std::int32_t> rows) {
  std::vector<float> kept;
  kept.reserve(2 * rows.size() * width_);
  for (const std::int32_t index : rows) {
    kept.insert(kept.end(), row(index), row(index) + width_);
  }
  values_ = std::move(kept);
}

Linear::Linear(const ParameterLookup& parameters, const std::string& prefix, int out, int in)
    : name_(prefix + ".weight"),
      observer_(parameters.observer),
      weight_(parameters(name_).data(), out, in),
      bias_(parameters(prefix + ".bias")) {}

void Linear::observe(MatrixView x) const {
  if (*observer_) {
    (*observer_)(name_, x);
  }
}

Matrix Linear::operator()(MatrixView x) const {
  observe(x);
  Matrix y(x.rows(), weight_.rows());
  y.noalias() = x * weight_.transpose();
  if (!bias_.empty()) {
    for (Eigen::Index i = 0; i < y.rows(); ++i) {
      kernels::add_bias(row_of(y, i), bias_);
    }
  }
  return y;
}

Matrix Linear::operator()(MatrixView x, Activation activation) const {
  observe(x);
  Matrix y(x.rows(), weight_.rows());
  y.noalias() = x * weight_.transpose();
  for (Eigen::Index i = 0; i < y.rows(); ++i) {
    if (activation == Activation::kRelu) {
      kernels::add_bias_relu(row_of(y, i), bias_);
    } else {
      kernels::add_bias_gelu(row_of(y, i), bias_);
    }
  }
  return y;
}

LayerNorm::LayerNorm(const ParameterLookup& parameters, const std::string& prefix)
    : gain_(parameters(prefix + ".weight")), bias_(parameters(prefix + ".bias")) {}

void LayerNorm::operator()(Matrix& x) const {
  for (Eigen::Index i = 0; i < x.rows(); ++i) {
    kernels::layer_norm(row_of(x, i), {}, gain_, bias_);
  }
}

void LayerNorm::operator()(Matrix& x, const Matrix& residual) const {
  for (Eigen::Index i = 0; i < x.rows(); ++i) {
    kernels::layer_norm(row_of(x, i), row_of(residual, i), gain_, bias_);
  }
}

Attention::Attention(const ParameterLookup& parameters, const std::string& prefix, int width,
                     int key_width, int heads)
    : heads_(heads),
      query_(parameters, prefix + ".q_proj", width, width),
      key_(parameters, prefix + ".k_proj", width, key_width),
      value_(parameters, prefix + ".v_proj", width, key_width),
      out_(parameters, prefix + ".out_proj", width, width) {}

void Attention::remember(MatrixView x, Memory& memory) const {
  memory.keys.append(key_(x));
  memory.values.append(value_(x));
}

Matrix Attention::operator()(MatrixView x, const Memory& memory,
                             std::span<const Context> contexts) const {
  Matrix queries = query_(x);
  const auto head_width = static_cast<float>(queries.cols() / heads_);
  queries *= 1.0f / std::sqrt(head_width);
  Matrix mixed(queries.rows(), queries.cols());
  std::vector<const float*> keys;
  std::vector<const float*> values;
  std::vector<float> scratch;
  for (Eigen::Index i = 0; i < queries.rows(); ++i) {
    const std::span<const std::int32_t> rows = contexts[static_cast<std::size_t>(i)].rows;
    keys.clear();
    values.clear();
    for (const std::int32_t row : rows) {
      keys.push_back(memory.keys.row(row));
      values.push_back(memory.values.row(row));
    }
    scratch.resize(rows.size());
    kernels::attend(row_of(mixed, i), row_of(std::as_const(queries), i), heads_, keys, values,
                    scratch);
  }
  return out_(mixed);
}

Convolution::Convolution(const ParameterLookup& parameters, const std::string& prefix,
                         const Options& options)
    : options_(options) {
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

Matrix Convolution::project_in(MatrixView x) const {
  if (linear1_.empty()) {
    return x;
  }
  Matrix y = linear1_.front()(x);
  if (!options_.branch.glu) {
    return y;
  }
  const auto channels = static_cast<std::size_t>(options_.branch.inner_channels());
  Matrix gated(y.rows(), options_.branch.inner_channels());
  for (Eigen::Index i = 0; i < y.rows(); ++i) {
    const std::span<const float> both = row_of(std::as_const(y), i);
    kernels::gated(row_of(gated, i), both.first(channels), both.last(channels));
  }
  return gated;
}

Matrix Convolution::padding_row() const {
  return project_in(Matrix::Zero(1, options_.branch.channels));
}

Matrix Convolution::kernels(const Matrix& x) const {
  Matrix kernels;
  if (weight_linear_.empty()) {
    kernels =
        Eigen::Map<const Matrix>(kernel_.data(), 1, static_cast<Eigen::Index>(kernel_.size()));
  } else {
    kernels = weight_linear_.front()(x);
  }
  if (options_.softmax) {
    const auto taps = static_cast<std::size_t>(options_.taps);
    for (float* head = kernels.data(); head != kernels.data() + kernels.size(); head += taps) {
      kernels::softmax({head, taps});
    }
  }
  return kernels;
}

Matrix Convolution::operator()(MatrixView x, Memory& memory,
                               std::span<const Context> contexts) const {
  const Matrix inputs = project_in(x);
  memory.append(inputs);
  const Matrix kernel_rows = kernels(inputs);
  // Odd kernels of the encoder are centred; of an even one the smaller half is to the left.
  const int left = options_.causal ? options_.taps - 1 : (options_.taps - 1) / 2;
  const bool padded = options_.bias_in_padding &&
                      std::ranges::any_of(contexts, [](const Context& c) { return c.padding > 0; });
  const Matrix padding = padded ? padding_row() : Matrix();
  Matrix mixed(inputs.rows(), inputs.cols());
  std::vector<const float*> taps(static_cast<std::size_t>(options_.taps));
  for (Eigen::Index i = 0; i < inputs.rows(); ++i) {
    const Context& context = contexts[static_cast<std::size_t>(i)];
    for (int k = 0; k < options_.taps; ++k) {
      const int position = context.position - left + k;
      const int length = static_cast<int>(context.rows.size());
      const float*& tap = taps[static_cast<std::size_t>(k)];
      if (position >= 0 && position < length) {
        tap = memory.row(context.rows[static_cast<std::size_t>(position)]);
      } else {
        const bool in_padding = padded && position >= length && position < length + context.padding;
        tap = in_padding ? padding.data() : nullptr;
      }
    }
    kernels::convolve(row_of(mixed, i), taps, row_of(kernel_rows, kernel_rows.rows() == 1 ? 0 : i),
                      options_.branch.heads);
  }
  return linear2_.empty() ? mixed : linear2_.front()(mixed);
}

SelfMixing::SelfMixing(const ParameterLookup& parameters, const std::string& prefix,
                       const ModelConfig& config, const StackConfig& stack, int layer,
                       bool causal) {
  if (stack.branches.empty()) {
    branches_.push_back({stack.embed_dim, Attention(parameters, prefix, stack.embed_dim,
                                                    stack.embed_dim, stack.attention_heads)});
  }
  for (const BranchConfig& branch : stack.branches) {
    const std::string name = prefix + ".branches." + std::to_string(branches_.size());
    if (branch.type == BranchType::kAttention) {
      branches_.push_back({branch.channels, Attention(parameters, name, branch.channels,
                                                      branch.channels, branch.heads)});
    } else {
      const Convolution::Options options{.branch = branch,
                                         .taps = stack.kernel_size(branch, layer),
                                         .causal = causal,
                                         .linear = config.conv_linear,
                                         .softmax = config.weight_softmax,
                                         .bias_in_padding = !is_convolution_only(config)};
      branches_.push_back({branch.channels, Convolution(parameters, name, options)});
    }
  }
}

SelfMixing::Memory SelfMixing::empty_memory() const {
  Memory memory;
  for (const Branch& branch : branches_) {
    std::visit([&](const auto& layer) { memory.emplace_back(layer.empty_memory()); }, branch.layer);
  }
  return memory;
}

void SelfMixing::keep(Memory& memory, std::span<const std::int32_t> rows) {
  for (auto& branch : memory) {
    if (auto* attention = std::get_if<Attention::Memory>(&branch)) {
      attention->keys.keep(rows);
      attention->values.keep(rows);
    } else {
      std::get<Convolution::Memory>(branch).keep(rows);
    }
  }
}

Matrix SelfMixing::operator()(const Matrix& x, Memory& memory,
                              std::span<const Context> contexts) const {
  Matrix out(x.rows(), x.cols());
  Eigen::Index offset = 0;
  for (std::size_t b = 0; b < branches_.size(); ++b) {
    const Branch& branch = branches_[b];
    const MatrixView part = x.middleCols(offset, branch.channels);
    auto mixed = out.middleCols(offset, branch.channels);
    if (const auto* attention = std::get_if<Attention>(&branch.layer)) {
      auto& seen = std::get<Attention::Memory>(memory[b]);
      attention->remember(part, seen);
      mixed = (*attention)(part, seen, contexts);
    } else {
      mixed = std::get<Convolution>(branch.layer)(part, std::get<Convolution::Memory>(memory[b]),
                                                  contexts);
    }
    offset += branch.channels;
  }
  return out;
}

FeedForward::FeedForward(const ParameterLookup& parameters, const std::string& prefix,
                         const StackConfig& stack, Activation activation)
    : activation_(activation),
      fc1_(parameters, prefix + ".fc1", stack.ffn_embed_dim, stack.embed_dim),
      fc2_(parameters, prefix + ".fc2", stack.embed_dim, stack.ffn_embed_dim) {}

Matrix FeedForward::operator()(const Matrix& x) const {
  return fc2_(fc1_(x, activation_));
}

}  // namespace ltz
