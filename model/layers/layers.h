#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "model/checkpoint/config.h"
#include "model/checkpoint/gradients.h"
#include "model/kernels/kernels.h"
#include "model/kernels/matrix.h"
#include "model/kernels/weight_matrix.h"

// The layers of a Lite Transformer (Wu et al. 2020). They work on rows: a batch is the tokens of
// all its sequences one after the other, without padding, so a result never depends on what else is
// in the batch. Results are written to where they are wanted: y and out have the shape of the
// result and may be some columns of a larger matrix.
//
// The backward pass (backward_layers.cpp and its neighbours): `backward` takes the layer's inputs,
// computes the values between them and the outputs once more, and from dy or dout, the gradient of
// a loss by the outputs, adds to dx, the gradient by the inputs, and to those by the parameters.
// The layer's memory has nothing before x.
namespace ltz {

// Called by a linear layer with the name of its matrix and its inputs, (n, in), before it is
// applied.
using InputObserver = std::function<void(const std::string& matrix, MatrixView inputs)>;

// Where layers get their parameters from.
struct ParameterLookup {
  // A parameter's values, row-major, by name; none for a parameter that is not there.
  std::function<std::span<const float>(const std::string& name)> find;
  // A parameter of (out, in) for products only.
  std::function<const WeightMatrix&(const std::string& name, int out, int in)> matrix;
  // A parameter of (in, out), transposed.
  std::function<const WeightMatrix&(const std::string& name, int out, int in)> transposed;
  // Outlives the layers; may be empty, and may be set later.
  const InputObserver* observer;

  std::span<const float> operator()(const std::string& name) const { return find(name); }
};

// The rows that one row may look at, its own sequence in order of time, and its place there. A
// causal layer is given the rows up to the place, an encoder layer all of them.
struct Context {
  std::span<const std::int32_t> rows;
  int position = 0;
  // Positions after the last row that a convolution takes for padding, see Transformer::encode.
  int padding = 0;
  // What attention looks at: the rows, in an encoder without those of <pad> tokens.
  std::span<const std::int32_t> attended;
  // The row is one of a <pad> token: for a convolution, its input is zeros.
  bool is_padding = false;
};

// Sets the rows of <pad> tokens to zero. x: one row a context.
void zero_padding(std::span<const Context> contexts, MutableMatrixView x);

// Rows of one width that grow as a sequence is decoded: attention keys and values, or the inputs of
// a convolution.
class RowStore {
 public:
  explicit RowStore(int width = 0) : width_(static_cast<std::size_t>(width)) {}
  // Adds so many rows. Write to them at once: the next call may move them.
  Eigen::Map<Matrix> append(Eigen::Index rows);
  // Forgets all rows but these, in ascending order, which become rows 0, 1, …
  void keep(std::span<const std::int32_t> rows);
  kernels::Rows rows(std::span<const std::int32_t> indices) const {
    return {values_.data(), width_, indices};
  }

 private:
  std::size_t width_;
  std::size_t used_ = 0;       // floats
  std::vector<float> values_;  // capacity may exceed the used size
};

// y = x W^T + b
class Linear {
 public:
  // Parameters prefix.weight (out, in) and, where there is one, prefix.bias (out).
  Linear(const ParameterLookup& parameters, const std::string& prefix, int out, int in);
  // x: (n, in), y: (n, out)
  void operator()(MatrixView x, MutableMatrixView y) const;
  void operator()(const ProductRows& x, MutableMatrixView y) const;
  // y = activation(x W^T + b)
  void operator()(MatrixView x, MutableMatrixView y, Activation activation) const;
  void backward(MatrixView x, MatrixView dy, MutableMatrixView dx, Gradients& gradients) const;
  // The two halves of backward.
  void backward_inputs(MatrixView dy, MutableMatrixView dx) const;
  void backward_parameters(MatrixView x, MatrixView dy, Gradients& gradients) const;
  int out() const { return weight_->out(); }
  // Rows that several layers of as many input channels can share as their x.
  ProductRows rows(MatrixView x) const { return {x, weight_->arithmetic()}; }

 private:
  void multiply(const ProductRows& x, MutableMatrixView y, WeightMatrix::Finish finish) const;

  std::string name_;  // of the matrix
  const InputObserver* observer_;
  const WeightMatrix* weight_;
  std::span<const float> bias_;
};

// Ba et al. 2016; epsilon 1e-5.
class LayerNorm {
 public:
  LayerNorm(const ParameterLookup& parameters, const std::string& prefix);
  void operator()(MutableMatrixView x) const;
  // x = norm(x + residual)
  void operator()(MutableMatrixView x, MatrixView residual) const;
  // x: what is normalised.
  void backward(MatrixView x, MatrixView dy, MutableMatrixView dx, Gradients& gradients) const;

 private:
  std::string name_;  // of both, without what they end with
  std::span<const float> gain_;
  std::span<const float> bias_;
};

// Multi-head attention (Vaswani et al. 2017, section 3.2.2). Queries, keys and values are products
// of their own: packed matrices of 80 rows run as fast as larger ones, so that there should be
// nothing to gain by stacking them.
class Attention {
 public:
  // width: channels of queries and output; key_width: of what is attended to.
  Attention(const ParameterLookup& parameters, const std::string& prefix, int width, int key_width,
            int heads);

  struct Memory {
    RowStore keys;
    RowStore values;

    // RowStore::keep for both.
    void keep(std::span<const std::int32_t> rows);
  };
  Memory empty_memory() const { return {RowStore(query_.out()), RowStore(query_.out())}; }
  // Adds the projections of these rows to what can be attended to.
  void remember(const ProductRows& x, Memory& memory) const;
  void remember(MatrixView x, Memory& memory) const { remember(key_.rows(x), memory); }
  // x, out: (n, width), one context a row, into the memory.
  void operator()(const ProductRows& x, const Memory& memory, std::span<const Context> contexts,
                  MutableMatrixView out) const;
  void operator()(MatrixView x, const Memory& memory, std::span<const Context> contexts,
                  MutableMatrixView out) const {
    (*this)(rows(x), memory, contexts, out);
  }
  // The x of both, for rows that attend to each other.
  ProductRows rows(MatrixView x) const { return query_.rows(x); }
  // remembered: the rows that the memory is of, which may be x itself, and their gradient that of
  // x.
  struct Inputs {
    MatrixView x;
    MatrixView remembered;
    std::span<const Context> contexts;
  };
  struct InputGradients {
    MutableMatrixView x;
    MutableMatrixView remembered;
  };
  void backward(const Inputs& inputs, MatrixView dout, InputGradients d,
                Gradients& gradients) const;

 private:
  int heads_;
  Linear query_;
  Linear key_;
  Linear value_;
  Linear out_;
};

// Lightweight or dynamic convolution (Wu et al. 2019), in convolution.cpp, between two linear
// layers: linear1, GLU, a convolution over inner_channels(), linear2; only the convolution where
// linear is false.
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
  // x, out: (n, channels), x is appended to the memory; one context a row, into the memory.
  void operator()(MatrixView x, Memory& memory, std::span<const Context> contexts,
                  MutableMatrixView out) const;
  // Without padding.
  void backward(MatrixView x, std::span<const Context> contexts, MatrixView dout,
                MutableMatrixView dx, Gradients& gradients) const;

 private:
  int inner_channels() const { return options_.branch.inner_channels(); }
  // x: (n, channels), y: (n, inner channels)
  void project_in(MatrixView x, MutableMatrixView y) const;
  // The same with the rows of <pad> tokens masked where the reference masks them: in front of
  // linear1, or behind it in models of nothing but convolutions.
  void project_masked(MatrixView x, std::span<const Context> contexts, MutableMatrixView y) const;
  // One kernel a row, (n, heads * taps), or a single row when all are the same. x: (n, inner
  // channels).
  void make_kernels(MatrixView x, MutableMatrixView kernels) const;
  // The last n rows of the memory are the inputs of these positions. mixed: (n, inner channels).
  void convolve(const Memory& memory, MatrixView kernels, std::span<const Context> contexts,
                MutableMatrixView mixed) const;
  // Where the window of a context begins and ends, in its rows, and the tap of its first row.
  struct Window {
    std::span<const std::int32_t> rows;
    std::size_t first_tap;
  };
  Window window(const Context& context) const;
  // The backward passes of project_in, make_kernels and convolve. dkernels: convolve_back sets it,
  // kernels_back works in it.
  void project_back(MatrixView x, MatrixView dinputs, MutableMatrixView dx,
                    Gradients& gradients) const;
  void kernels_back(MatrixView inputs, MatrixView kernels, MutableMatrixView dkernels,
                    MutableMatrixView dinputs, Gradients& gradients) const;
  void convolve_back(MatrixView inputs, MatrixView kernels, std::span<const Context> contexts,
                     MatrixView dmixed, MutableMatrixView dinputs,
                     MutableMatrixView dkernels) const;
  // Adds what the taps in the padding behind a sequence contribute. out: (inner channels), kernel:
  // (heads * taps), padding: (1, inner channels), what linear1 makes of zeros.
  void add_padding(std::span<float> out, std::span<const float> kernel, const Context& context,
                   const Matrix& padding) const;

  Options options_;
  std::string name_;                   // of the branch
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
  // x, out: (n, width), x is appended to the memory.
  void operator()(MatrixView x, Memory& memory, std::span<const Context> contexts,
                  MutableMatrixView out) const;
  void backward(MatrixView x, std::span<const Context> contexts, MatrixView dout,
                MutableMatrixView dx, Gradients& gradients) const;

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
  // x, out: (n, width)
  void operator()(MatrixView x, MutableMatrixView out) const;
  void backward(MatrixView x, MatrixView dout, MutableMatrixView dx, Gradients& gradients) const;

 private:
  Activation activation_;
  Linear fc1_;
  Linear fc2_;
};

}  // namespace ltz
