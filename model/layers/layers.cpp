#include "model/layers/layers.h"

#include <algorithm>
#include <functional>

#include "model/base/assert.h"
#include "model/base/parallel.h"
#include "model/kernels/scratch.h"

namespace ltz {

Eigen::Map<Matrix> RowStore::append(Eigen::Index rows) {
  const std::size_t begin = used_;
  used_ += static_cast<std::size_t>(rows) * width_;
  if (used_ > values_.size()) {
    values_.resize(used_ + used_ / 2);
  }
  return {values_.data() + begin, rows, static_cast<Eigen::Index>(width_)};
}

void RowStore::keep(std::span<const std::int32_t> kept) {
  LTZ_ASSERT(std::ranges::adjacent_find(kept, std::greater_equal()) == kept.end());
  const kernels::Rows old = rows(kept);
  for (std::size_t i = 0; i < old.size(); ++i) {
    std::copy_n(old[i], width_, values_.data() + i * width_);
  }
  used_ = old.size() * width_;
}

Linear::Linear(const ParameterLookup& parameters, const std::string& prefix, int out, int in)
    : name_(prefix + ".weight"),
      observer_(parameters.observer),
      weight_(&parameters.matrix(name_, out, in)),
      bias_(parameters(prefix + ".bias")) {}

void Linear::multiply(const ProductRows& x, MutableMatrixView y,
                      WeightMatrix::Finish finish) const {
  if (*observer_) {
    (*observer_)(name_, x.all().x);
  }
  weight_->multiply(x.all(), y, bias_, finish);
}

void Linear::operator()(const ProductRows& x, MutableMatrixView y) const {
  multiply(x, y, WeightMatrix::Finish::kNone);
}

void Linear::operator()(MatrixView x, MutableMatrixView y) const {
  (*this)(rows(x), y);
}

void Linear::operator()(MatrixView x, MutableMatrixView y, Activation activation) const {
  if (activation == Activation::kRelu) {
    multiply(rows(x), y, WeightMatrix::Finish::kRelu);
    return;
  }
  (*this)(x, y);
  for (Eigen::Index i = 0; i < y.rows(); ++i) {
    kernels::activate(row_of(y, i), activation);
  }
}

LayerNorm::LayerNorm(const ParameterLookup& parameters, const std::string& prefix)
    : name_(prefix), gain_(parameters(prefix + ".weight")), bias_(parameters(prefix + ".bias")) {}

void LayerNorm::operator()(MutableMatrixView x) const {
  for (Eigen::Index i = 0; i < x.rows(); ++i) {
    kernels::layer_norm(row_of(x, i), {}, gain_, bias_);
  }
}

void LayerNorm::operator()(MutableMatrixView x, MatrixView residual) const {
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

void Attention::Memory::keep(std::span<const std::int32_t> rows) {
  keys.keep(rows);
  values.keep(rows);
}

void Attention::remember(const ProductRows& x, Memory& memory) const {
  const Eigen::Index count = x.all().x.rows();
  key_(x, memory.keys.append(count));
  value_(x, memory.values.append(count));
}

void Attention::operator()(const ProductRows& x, const Memory& memory,
                           std::span<const Context> contexts, MutableMatrixView out) const {
  LTZ_ASSERT(contexts.size() == static_cast<std::size_t>(x.all().x.rows()));
  Scratch queries(x.all().x.rows(), query_.out());
  Scratch mixed(x.all().x.rows(), query_.out());
  query_(x, *queries);
  std::size_t longest = 0;
  std::size_t keys = 0;
  for (const Context& context : contexts) {
    longest = std::max(longest, context.attended.size());
    keys += context.attended.size();
  }
  const double work = 2.0 * static_cast<double>(keys) * query_.out();
  split_work(contexts.size(), work, [&](std::size_t begin, std::size_t end) {
    const auto width = static_cast<Eigen::Index>(kernels::attention_scratch(heads_, longest));
    Scratch weights(1, width);
    MutableMatrixView to(*mixed);
    const MatrixView from(*queries);
    for (std::size_t i = begin; i < end; ++i) {
      const auto row = static_cast<Eigen::Index>(i);
      if (i + 1 < end && contexts[i + 1].attended.data() != contexts[i].attended.data()) {
        kernels::prefetch(memory.keys.rows(contexts[i + 1].attended));
        kernels::prefetch(memory.values.rows(contexts[i + 1].attended));
      }
      kernels::attend(row_of(to, row),
                      {.query = row_of(from, row),
                       .heads = heads_,
                       .keys = memory.keys.rows(contexts[i].attended),
                       .values = memory.values.rows(contexts[i].attended)},
                      {weights->data(), static_cast<std::size_t>(width)});
    }
  });
  out_(*mixed, out);
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
      attention->keep(rows);
    } else {
      std::get<Convolution::Memory>(branch).keep(rows);
    }
  }
}

void SelfMixing::operator()(MatrixView x, Memory& memory, std::span<const Context> contexts,
                            MutableMatrixView out) const {
  Eigen::Index offset = 0;
  for (std::size_t b = 0; b < branches_.size(); ++b) {
    const Branch& branch = branches_[b];
    const MatrixView part = x.middleCols(offset, branch.channels);
    const MutableMatrixView mixed = out.middleCols(offset, branch.channels);
    if (const auto* attention = std::get_if<Attention>(&branch.layer)) {
      auto& seen = std::get<Attention::Memory>(memory[b]);
      const ProductRows rows = attention->rows(part);
      attention->remember(rows, seen);
      (*attention)(rows, seen, contexts, mixed);
    } else {
      std::get<Convolution>(branch.layer)(part, std::get<Convolution::Memory>(memory[b]), contexts,
                                          mixed);
    }
    offset += branch.channels;
  }
}

FeedForward::FeedForward(const ParameterLookup& parameters, const std::string& prefix,
                         const StackConfig& stack, Activation activation)
    : activation_(activation),
      fc1_(parameters, prefix + ".fc1", stack.ffn_embed_dim, stack.embed_dim),
      fc2_(parameters, prefix + ".fc2", stack.embed_dim, stack.ffn_embed_dim) {}

void FeedForward::operator()(MatrixView x, MutableMatrixView out) const {
  Scratch hidden(x.rows(), fc1_.out());
  fc1_(x, *hidden, activation_);
  fc2_(*hidden, out);
}

}  // namespace ltz
