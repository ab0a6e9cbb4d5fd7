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
  const OnnxValue active = builder.config.activation == Activation::kGelu
                               ? gelu(builder.graph, hidden)
                               : builder.graph.apply("Relu", {hidden});
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
