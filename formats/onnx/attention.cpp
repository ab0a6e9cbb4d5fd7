#include <cmath>

#include "formats/onnx/blocks.h"

// Multi-head attention (Vaswani et al. 2017, section 3.2.2). Keys have time as their last
// dimension, so that queries are multiplied with them as they are.
namespace ltz::formats {
namespace {

// (batch, tokens, channels) -> (batch, heads, tokens, width), or another order of these four.
OnnxValue split_heads(OnnxGraph& graph, const OnnxValue& x, const OnnxHeads& heads,
                      const std::vector<std::int64_t>& order) {
  const OnnxValue split =
      graph.apply("Reshape", {x, graph.integers({0, 0, heads.heads, heads.width()})});
  return graph.apply("Transpose", {split}, {{"perm", order}});
}

// queries: (batch, heads, n, width); result: the same.
OnnxValue attend(OnnxGraph& graph, const OnnxValue& queries, const OnnxMemory& memory,
                 const OnnxValue& bias, const OnnxHeads& heads) {
  const float scale = 1.0f / std::sqrt(static_cast<float>(heads.width()));
  const OnnxValue scaled = graph.apply("Mul", {queries, graph.number(scale)});
  OnnxValue scores = graph.apply("MatMul", {scaled, memory.keys});
  if (!bias.empty()) {
    scores = graph.apply("Add", {scores, bias});
  }
  const OnnxValue weights = graph.apply("Softmax", {scores}, {{"axis", -1}});
  return graph.apply("MatMul", {weights, memory.values});
}

}  // namespace

OnnxPort keys_port(const std::string& name, const OnnxDimension& batch, const OnnxHeads& heads,
                   const OnnxDimension& tokens) {
  return {name, OnnxType::kFloat32, {batch, heads.heads, heads.width(), tokens}};
}

OnnxPort values_port(const std::string& name, const OnnxDimension& batch, const OnnxHeads& heads,
                     const OnnxDimension& tokens) {
  return {name, OnnxType::kFloat32, {batch, heads.heads, tokens, heads.width()}};
}

OnnxMemory remember_source(OnnxBuilder& builder, const OnnxValue& x, const std::string& prefix,
                           const OnnxHeads& heads) {
  builder.graph.name_nodes(prefix);
  return {split_heads(builder.graph, linear(builder, x, prefix + ".k_proj"), heads, {0, 2, 3, 1}),
          split_heads(builder.graph, linear(builder, x, prefix + ".v_proj"), heads, {0, 2, 1, 3})};
}

OnnxValue attend_in_source(OnnxBuilder& builder, const OnnxValue& x, const OnnxSourceMask& mask,
                           const std::string& prefix, const OnnxHeads& heads) {
  OnnxGraph& graph = builder.graph;
  const OnnxMemory memory = remember_source(builder, x, prefix, heads);
  const OnnxValue queries =
      split_heads(graph, linear(builder, x, prefix + ".q_proj"), heads, {0, 2, 1, 3});
  const OnnxValue mixed =
      graph.apply("Transpose", {attend(graph, queries, memory, mask.bias, heads)},
                  {{"perm", std::vector<std::int64_t>{0, 2, 1, 3}}});
  const OnnxValue joined = graph.apply("Reshape", {mixed, graph.integers({0, 0, heads.channels})});
  return linear(builder, joined, prefix + ".out_proj");
}

OnnxValue attend_to(OnnxBuilder& builder, const OnnxValue& x, const OnnxMemory& memory,
                    const OnnxValue& bias, const std::string& prefix, const OnnxHeads& heads) {
  OnnxGraph& graph = builder.graph;
  graph.name_nodes(prefix);
  const OnnxValue queries = graph.apply(
      "Reshape",
      {linear(builder, x, prefix + ".q_proj"), graph.integers({0, heads.heads, 1, heads.width()})});
  const OnnxValue mixed = attend(graph, queries, memory, bias, heads);
  const OnnxValue joined = graph.apply("Reshape", {mixed, graph.integers({0, heads.channels})});
  return linear(builder, joined, prefix + ".out_proj");
}

OnnxValue attend_in_target(OnnxBuilder& builder, OnnxStep& step, const OnnxValue& x,
                           const std::string& place, const std::string& prefix,
                           const OnnxHeads& heads) {
  OnnxGraph& graph = builder.graph;
  graph.name_nodes(prefix);
  const bool fixed = builder.options.lengths.has_value();
  const OnnxDimension before = fixed ? OnnxDimension(builder.options.lengths->target) : "past";
  const OnnxDimension after = fixed ? before : "present";
  const OnnxValue key = graph.apply(
      "Reshape",
      {linear(builder, x, prefix + ".k_proj"), graph.integers({0, heads.heads, heads.width(), 1})});
  const OnnxValue value = graph.apply(
      "Reshape",
      {linear(builder, x, prefix + ".v_proj"), graph.integers({0, heads.heads, 1, heads.width()})});
  const OnnxMemory past = {
      graph.input(keys_port("past_self_keys_" + place, builder.batch(), heads, before)),
      graph.input(values_port("past_self_values_" + place, builder.batch(), heads, before))};
  OnnxMemory present;
  if (fixed) {
    const OnnxValue row = graph.apply("Reshape", {step.slot, graph.integers({-1, 1})});
    present = {graph.apply("Where", {step.slot, key, past.keys}),
               graph.apply("Where", {row, value, past.values})};
  } else {
    present = {graph.apply("Concat", {past.keys, key}, {{"axis", 3}}),
               graph.apply("Concat", {past.values, value}, {{"axis", 2}})};
  }
  step.present.emplace_back(present.keys,
                            keys_port("present_self_keys_" + place, builder.batch(), heads, after));
  step.present.emplace_back(
      present.values, values_port("present_self_values_" + place, builder.batch(), heads, after));
  return attend_to(builder, x, present, step.bias, prefix, heads);
}

}  // namespace ltz::formats
