#include <limits>

#include "formats/onnx/blocks.h"
#include "model/kernels/kernels.h"

// Lightweight and dynamic convolution (Wu et al. 2019): see Convolution of model/layers/layers.h.
namespace ltz::formats {
namespace {

constexpr std::int64_t kToTheEnd = std::numeric_limits<std::int64_t>::max();

// A convolution branch in one layer.
struct ConvolutionShape {
  int taps;
  int channels;  // that are convolved
  int heads;     // of which each has one kernel

  int width() const { return channels / heads; }
};

// linear1 and GLU, as far as the branch has them.
OnnxValue project_in(OnnxBuilder& builder, const OnnxValue& x, const BranchConfig& branch,
                     const std::string& prefix) {
  if (!builder.config.conv_linear) {
    return x;
  }
  OnnxGraph& graph = builder.graph;
  const OnnxValue y = linear(builder, x, prefix + ".linear1");
  if (!branch.glu) {
    return y;
  }
  const std::int64_t inner = branch.inner_channels();
  const std::vector<OnnxValue> halves =
      graph.apply("Split", {y, graph.integers({inner, inner})}, {{"axis", -1}}, 2);
  return graph.apply("Mul", {halves[0], graph.apply("Sigmoid", {halves[1]})});
}

OnnxValue project_out(OnnxBuilder& builder, const OnnxValue& x, const std::string& prefix) {
  return builder.config.conv_linear ? linear(builder, x, prefix + ".linear2") : x;
}

// The kernel of a lightweight convolution for each channel, (channels, 1, taps), its softmax done.
OnnxValue folded_kernel(OnnxBuilder& builder, const ConvolutionShape& shape,
                        const std::string& prefix) {
  const std::string name = prefix + ".weight";
  std::vector<float> values = builder.checkpoint.tensors.at(name).values();
  const auto taps = static_cast<std::size_t>(shape.taps);
  std::vector<float> folded;
  for (int channel = 0; channel < shape.channels; ++channel) {
    const auto head = static_cast<std::size_t>(channel / shape.width());
    const std::span<float> kernel = std::span(values).subspan(head * taps, taps);
    if (builder.config.weight_softmax && channel % shape.width() == 0) {
      kernels::softmax(kernel);
    }
    folded.insert(folded.end(), kernel.begin(), kernel.end());
  }
  return builder.graph.constant(name + ".folded",
                                onnx_floats({shape.channels, 1, shape.taps}, folded));
}

// The kernels that a dynamic convolution makes of its inputs. by_head: their shape, (…, heads,
// taps).
OnnxValue dynamic_kernels(OnnxBuilder& builder, const OnnxValue& x, const std::string& prefix,
                          const std::vector<std::int64_t>& by_head) {
  OnnxGraph& graph = builder.graph;
  const OnnxValue scores =
      graph.apply("MatMul", {x, builder.parameters.transposed(prefix + ".weight_linear.weight")});
  const OnnxValue kernels = graph.apply("Reshape", {scores, graph.integers(by_head)});
  return builder.config.weight_softmax ? graph.apply("Softmax", {kernels}, {{"axis", -1}})
                                       : kernels;
}

// An even kernel has its smaller half on the left.
int taps_before(const ConvolutionShape& shape) {
  return (shape.taps - 1) / 2;
}

int taps_behind(const ConvolutionShape& shape) {
  return shape.taps - 1 - taps_before(shape);
}

// x: (batch, source, channels) -> (batch, source, channels)
OnnxValue lightweight(OnnxBuilder& builder, const OnnxValue& x, const ConvolutionShape& shape,
                      const std::string& prefix) {
  OnnxGraph& graph = builder.graph;
  const auto transpose = [&](const OnnxValue& values) {
    return graph.apply("Transpose", {values}, {{"perm", std::vector<std::int64_t>{0, 2, 1}}});
  };
  return transpose(
      graph.apply("Conv", {transpose(x), folded_kernel(builder, shape, prefix)},
                  {{"group", shape.channels},
                   {"pads", std::vector<std::int64_t>{taps_before(shape), taps_behind(shape)}}}));
}

// (batch, source, channels) -> (batch, source, heads, taps, channels of a head): what lies under
// the taps at every token.
OnnxValue windows(OnnxGraph& graph, const OnnxValue& x, const ConvolutionShape& shape) {
  OnnxValue padded = x;
  std::vector<OnnxValue> shifted = {x};
  if (shape.taps > 1) {
    padded = graph.apply("Pad",
                         {x, graph.integers({0, taps_before(shape), 0, 0, taps_behind(shape), 0})});
    shifted.clear();
    for (int tap = 0; tap < shape.taps; ++tap) {
      const std::int64_t end = tap + 1 == shape.taps ? kToTheEnd : tap + 1 - shape.taps;
      shifted.push_back(graph.apply(
          "Slice", {padded, graph.integers({tap}), graph.integers({end}), graph.integers({1})}));
    }
  }
  const OnnxValue all = graph.apply("Concat", shifted, {{"axis", -1}});
  const OnnxValue split =
      graph.apply("Reshape", {all, graph.integers({0, 0, shape.taps, shape.heads, shape.width()})});
  return graph.apply("Transpose", {split}, {{"perm", std::vector<std::int64_t>{0, 1, 3, 2, 4}}});
}

// x: (batch, source, channels) -> (batch, source, channels)
OnnxValue dynamic(OnnxBuilder& builder, const OnnxValue& x, const ConvolutionShape& shape,
                  const std::string& prefix) {
  OnnxGraph& graph = builder.graph;
  const OnnxValue kernels = dynamic_kernels(builder, x, prefix, {0, 0, shape.heads, shape.taps});
  const OnnxValue rows = graph.apply("Unsqueeze", {kernels, graph.integers({3})});
  const OnnxValue mixed = graph.apply("MatMul", {rows, windows(graph, x, shape)});
  return graph.apply("Reshape", {mixed, graph.integers({0, 0, shape.channels})});
}

// The inputs under the taps at this token, (batch, channels, taps). x: (batch, channels).
OnnxValue window_of_step(OnnxBuilder& builder, OnnxStep& step, const OnnxValue& x,
                         const std::string& place, const ConvolutionShape& shape) {
  OnnxGraph& graph = builder.graph;
  const OnnxValue last = graph.apply("Unsqueeze", {x, graph.integers({2})});
  if (shape.taps == 1) {
    return last;
  }
  const auto port = [&](const std::string& when) {
    return OnnxPort{when + "_window_" + place,
                    OnnxType::kFloat32,
                    {builder.batch(), shape.channels, shape.taps - 1}};
  };
  const OnnxValue window = graph.apply("Concat", {graph.input(port("past")), last}, {{"axis", 2}});
  step.present.emplace_back(
      graph.apply("Slice",
                  {window, graph.integers({1}), graph.integers({kToTheEnd}), graph.integers({2})}),
      port("present"));
  return window;
}

}  // namespace

OnnxValue convolve_source(OnnxBuilder& builder, const OnnxValue& x, const OnnxSourceMask& mask,
                          const OnnxConvolution& convolution) {
  const auto& [branch, taps, prefix] = convolution;
  builder.graph.name_nodes(prefix);
  const ConvolutionShape shape{taps, branch.inner_channels(), branch.heads};
  const OnnxValue inputs =
      builder.graph.apply("Mul", {project_in(builder, x, branch, prefix), mask.kept});
  const OnnxValue mixed = branch.type == BranchType::kDynamic
                              ? dynamic(builder, inputs, shape, prefix)
                              : lightweight(builder, inputs, shape, prefix);
  return project_out(builder, mixed, prefix);
}

OnnxValue convolve_target(OnnxBuilder& builder, OnnxStep& step, const OnnxValue& x,
                          const std::string& place, const OnnxConvolution& convolution) {
  const auto& [branch, taps, prefix] = convolution;
  OnnxGraph& graph = builder.graph;
  graph.name_nodes(prefix);
  const ConvolutionShape shape{taps, branch.inner_channels(), branch.heads};
  const OnnxValue inputs = project_in(builder, x, branch, prefix);
  const OnnxValue window = window_of_step(builder, step, inputs, place, shape);
  OnnxValue mixed;
  if (branch.type == BranchType::kDynamic) {
    const OnnxValue kernels =
        dynamic_kernels(builder, inputs, prefix, {0, shape.heads, shape.taps});
    const OnnxValue by_head = graph.apply(
        "Reshape", {window, graph.integers({0, shape.heads, shape.width(), shape.taps})});
    mixed =
        graph.apply("MatMul", {by_head, graph.apply("Unsqueeze", {kernels, graph.integers({3})})});
  } else {
    mixed = graph.apply("Conv", {window, folded_kernel(builder, shape, prefix)},
                        {{"group", shape.channels}});
  }
  const OnnxValue joined = graph.apply("Reshape", {mixed, graph.integers({0, shape.channels})});
  return project_out(builder, joined, prefix);
}

}  // namespace ltz::formats
