#include <cmath>
#include <numbers>

#include "formats/onnx/blocks.h"
#include "model/kernels/kernels.h"

namespace ltz::formats {
namespace {

// The exact form with erf.
OnnxValue gelu(OnnxGraph& graph, const OnnxValue& x) {
  const OnnxValue scaled =
      graph.apply("Mul", {x, graph.number(static_cast<float>(std::numbers::sqrt2 / 2.0))});
  const OnnxValue erf = graph.apply("Erf", {scaled});
  const OnnxValue gate = graph.apply("Add", {erf, graph.number(1.0f)});
  return graph.apply("Mul", {graph.apply("Mul", {x, gate}), graph.number(0.5f)});
}

// The form with tanh (Hendrycks & Gimpel 2016, section 2).
OnnxValue gelu_tanh(OnnxGraph& graph, const OnnxValue& x) {
  const auto times = [&](const OnnxValue& a, float b) {
    return graph.apply("Mul", {a, graph.number(b)});
  };
  const OnnxValue square = graph.apply("Mul", {x, x});
  const OnnxValue factor = graph.apply("Add", {times(square, 0.044715f), graph.number(1.0f)});
  const OnnxValue cubic = graph.apply("Mul", {x, factor});
  const auto scale = static_cast<float>(std::numbers::sqrt2 * std::numbers::inv_sqrtpi);
  const OnnxValue tanh = graph.apply("Tanh", {times(cubic, scale)});
  const OnnxValue gate = graph.apply("Add", {tanh, graph.number(1.0f)});
  return times(graph.apply("Mul", {x, gate}), 0.5f);
}

OnnxValue activate(OnnxGraph& graph, const OnnxValue& x, Activation activation) {
  switch (activation) {
    case Activation::kRelu:
      return graph.apply("Relu", {x});
    case Activation::kGelu:
      return gelu(graph, x);
    case Activation::kGeluTanh:
      return gelu_tanh(graph, x);
    case Activation::kTanh:
      return graph.apply("Tanh", {x});
    case Activation::kLinear:
      break;
  }
  return x;
}

}  // namespace

OnnxDimension OnnxBuilder::batch() const {
  return options.lengths ? OnnxDimension(options.lengths->batch) : "batch";
}

OnnxDimension OnnxBuilder::source_batch() const {
  return options.lengths ? OnnxDimension(options.lengths->batch) : "source_batch";
}

OnnxDimension OnnxBuilder::source() const {
  return options.lengths ? OnnxDimension(options.lengths->source) : "source";
}

OnnxValue linear(OnnxBuilder& builder, const OnnxValue& x, const std::string& prefix) {
  const OnnxValue product =
      builder.graph.apply("MatMul", {x, builder.parameters.transposed(prefix + ".weight")});
  return builder.graph.apply("Add", {product, builder.parameters.whole(prefix + ".bias")});
}

OnnxValue layer_norm(OnnxBuilder& builder, const OnnxValue& x, const std::string& prefix) {
  constexpr int kLayerNormalization = 17;  // the first opset that has it
  OnnxGraph& graph = builder.graph;
  const OnnxValue gain = builder.parameters.whole(prefix + ".weight");
  const OnnxValue bias = builder.parameters.whole(prefix + ".bias");
  if (graph.opset() >= kLayerNormalization) {
    return graph.apply("LayerNormalization", {x, gain, bias},
                       {{"axis", -1}, {"epsilon", kernels::kNormEpsilon}});
  }
  const auto mean_of = [&](const OnnxValue& values) {
    return graph.apply("ReduceMean", {values}, {{"axes", std::vector<std::int64_t>{-1}}});
  };
  // Runtimes recognise these nodes, in this order, as a LayerNorm.
  const OnnxValue centred = graph.apply("Sub", {x, mean_of(x)});
  const OnnxValue variance = mean_of(graph.apply("Pow", {centred, graph.number(2.0f)}));
  const OnnxValue safe = graph.apply("Add", {variance, graph.number(kernels::kNormEpsilon)});
  const OnnxValue normalized = graph.apply("Div", {centred, graph.apply("Sqrt", {safe})});
  return graph.apply("Add", {graph.apply("Mul", {normalized, gain}), bias});
}

OnnxValue feed_forward(OnnxBuilder& builder, const OnnxValue& x, const std::string& layer) {
  const OnnxValue hidden = linear(builder, x, layer + ".fc1");
  const OnnxValue active = activate(builder.graph, hidden, builder.config.activation);
  return linear(builder, active, layer + ".fc2");
}

OnnxValue with_residual(OnnxBuilder& builder, Stack which, const OnnxValue& x,
                        const std::string& norm, const OnnxBlock& block) {
  const auto add = [&](const OnnxValue& y) { return builder.graph.apply("Add", {x, y}); };
  return builder.stack(which).normalize_before ? add(block(layer_norm(builder, x, norm)))
                                               : layer_norm(builder, add(block(x)), norm);
}

OnnxValue mix_branches(OnnxBuilder& builder, Stack which, const OnnxValue& x,
                       const std::string& prefix, const OnnxBranch& mix) {
  const StackConfig& stack = builder.stack(which);
  if (stack.branches.empty()) {
    const BranchConfig whole{.type = BranchType::kAttention,
                             .channels = stack.embed_dim,
                             .heads = stack.attention_heads};
    return mix(whole, prefix, 0, x);
  }
  std::vector<OnnxValue> parts = {x};
  if (stack.branches.size() > 1) {
    std::vector<std::int64_t> channels;
    for (const BranchConfig& branch : stack.branches) {
      channels.push_back(branch.channels);
    }
    parts = builder.graph.apply("Split", {x, builder.graph.integers(channels)}, {{"axis", -1}},
                                channels.size());
  }
  for (std::size_t b = 0; b < parts.size(); ++b) {
    const std::string name = prefix + ".branches." + std::to_string(b);
    parts[b] = mix(stack.branches[b], name, static_cast<int>(b), parts[b]);
  }
  return parts.size() == 1 ? parts.front() : builder.graph.apply("Concat", parts, {{"axis", -1}});
}

}  // namespace ltz::formats
