#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "model/config.h"
#include "model/matrix.h"

// The layers of a Lite Transformer (Wu et al. 2020). They work on rows: a batch is the tokens of
// all its sequences one after the other, without padding, so a result never depends on what else is
// in the batch.
namespace ltz {

// Called by a linear layer with the name of its matrix and its inputs, (n, in), before it is
// applied.
using InputObserver = std::function<void(const std::string& matrix, MatrixView inputs)>;

// Where layers get their parameters from.
struct ParameterLookup {
  // A parameter's values, row-major, by name; none for a parameter that is not there.
  std::function<std::span<const float>(const std::string& name)> find;
  // Outlives the layers; may be empty, and may be set later.
  const InputObserver* observer;

  std::span<const float> operator()(const std::string& name) const { return find(name); }
};

// What one row may look at: the rows of its own sequence in order of time, and its place there. A
// causal layer is given the rows up to the place, an encoder layer all of them.
struct Context {
  std::span<const std::int32_t> rows;
  int position = 0;
  // Positions after the last row that a convolution takes for padding, see Transformer::encode.
  int padding = 0;
};

// Rows of one width that grow as a sequence is decoded: attention keys and values, or the inputs of
// a convolution.
class RowStore {
 public:
  explicit RowStore(int width = 0) : width_(static_cast<std::size_t>(width)) {}
  void append(const Matrix& rows);
  // Forgets all rows but these, which become rows 0, 1, … in this order.
  void keep(std::span<const std::int32_t> rows);
  const float* row(std::int32_t index) const {
    return values_.data() + static_cast<std::size_t>(index) * width_;
  }

 private:
  std::size_t width_;
  std::vector<float> values_;
};

// y = x W^T + b
class Linear {
 public:
  // Parameters prefix.weight (out, in) and, where there is one, prefix.bias (out).
  Linear(const ParameterLookup& parameters, const std::string& prefix, int out, int in);
  Matrix operator()(MatrixView x) const;
  Matrix operator()(MatrixView x, Activation activation) const;
  int out() const { return static_cast<int>(weight_.rows()); }

 private:
  void observe(MatrixView x) const;

  std::string name_;  // of the matrix
  const InputObserver* observer_;
  Eigen::Map<const Matrix> weight_;
  std::span<const float> bias_;
};

// Ba et al. 2016; epsilon 1e-5.
class LayerNorm {
 public:
  LayerNorm(const ParameterLookup& parameters, const std::string& prefix);
  void operator()(Matrix& x) const;
  // x = norm(x + residual)
  void operator()(Matrix& x, const Matrix& residual) const;

 private:
  std::span<const float> gain_;
  std::span<const float> bias_;
};

// Multi-head attention (Vaswani et al. 2017, section 3.2.2).
class Attention {
 public:
  // width: channels of queries and output; key_width: of what is attended to.
  Attention(const ParameterLookup& parameters, const std::string& prefix, int width, int key_width,
            int heads);

  struct Memory {
    RowStore keys;
    RowStore values;
  };
  Memory empty_memory() const { return {RowStore(query_.out()), RowStore(query_.out())}; }
  // Adds the projections of these rows to what can be attended to.
  void remember(MatrixView x, Memory& memory) const;
  // x: (n, width), one context a row, into the memory. Returns (n, width).
  Matrix operator()(MatrixView x, const Memory& memory, std::span<const Context> contexts) const;

 private:
  int heads_;
  Linear query_;
  Linear key_;
  Linear value_;
  Linear out_;
};

// Lightweight or dynamic convolution (Wu et al. 2019) between two linear layers: linear1, GLU, a
// convolution over inner_channels(), linear2; only the convolution where linear is false.
class Convolution {
 public:
  struct Options {
    BranchConfig branch;
    int taps = 1;
    bool causal = false;
    bool linear = true;           // linear1 and linear2 are there
    bool softmax = true;          // over the taps of a kernel
    bool bias_in_padding = true;  // padding goes through linear1, see Transformer::encode
  };
  Convolution(const ParameterLookup& parameters, const std::string& prefix, const Options& options);

  using Memory = RowStore;
  Memory empty_memory() const { return RowStore(options_.branch.inner_channels()); }
  // x: (n, channels), appended to the memory; one context a row, into the memory.
  Matrix operator()(MatrixView x, Memory& memory, std::span<const Context> contexts) const;

 private:
  Matrix project_in(MatrixView x) const;
  // What one position of padding is to the convolution, (1, inner channels).
  Matrix padding_row() const;
  // One kernel a row, (n, heads * taps), or a single row when all are the same.
  Matrix kernels(const Matrix& x) const;

  Options options_;
  std::vector<Linear> linear1_;        // at most one
  std::vector<Linear> linear2_;        // at most one
  std::vector<Linear> weight_linear_;  // dynamic: one
  std::span<const float> kernel_;      // lightweight: (heads, 1, taps)
};

// Long-Short Range Attention: the input's channels are split between the branches in order, their
// outputs are put side by side. A layer without branches is a single attention over all channels.
class SelfMixing {
 public:
  SelfMixing(const ParameterLookup& parameters, const std::string& prefix,
             const ModelConfig& config, const StackConfig& stack, int layer, bool causal);

  using Memory = std::vector<std::variant<Attention::Memory, Convolution::Memory>>;
  Memory empty_memory() const;
  // RowStore::keep for all branches.
  static void keep(Memory& memory, std::span<const std::int32_t> rows);
  // x: (n, width), appended to the memory. Returns (n, width).
  Matrix operator()(const Matrix& x, Memory& memory, std::span<const Context> contexts) const;

 private:
  struct Branch {
    int channels;
    std::variant<Attention, Convolution> layer;
  };
  std::vector<Branch> branches_;
};

// fc2(activation(fc1(x)))
class FeedForward {
 public:
  FeedForward(const ParameterLookup& parameters, const std::string& prefix,
              const StackConfig& stack, Activation activation);
  Matrix operator()(const Matrix& x) const;

 private:
  Activation activation_;
  Linear fc1_;
  Linear fc2_;
};

}  // namespace ltz
