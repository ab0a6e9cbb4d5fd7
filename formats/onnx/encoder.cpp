#include "formats/onnx/blocks.h"

namespace ltz::formats {
namespace {

// tokens: (batch, source)
OnnxSourceMask mask_of(OnnxBuilder& builder, const OnnxValue& tokens) {
  OnnxGraph& graph = builder.graph;
  graph.name_nodes("encoder.padding");
  const OnnxValue padding = graph.apply("Equal", {tokens, graph.integer(Vocabulary::kPad)});
  const OnnxValue padding_as_number =
      graph.apply("Cast", {padding}, {{"to", onnx_data_type(OnnxType::kFloat32)}});
  const OnnxValue kept = graph.apply("Sub", {graph.number(1.0f), padding_as_number});
  const OnnxValue bias = graph.apply("Mul", {padding_as_number, graph.number(kOnnxMasked)});
  return {graph.apply("Unsqueeze", {kept, graph.integers({2})}),
          graph.apply("Unsqueeze", {bias, graph.integers({1, 2})})};
}

OnnxValue encoder_layer(OnnxBuilder& builder, const OnnxValue& input, const OnnxSourceMask& mask,
                        int index) {
  const std::string name = "encoder.layers." + std::to_string(index);
  const auto mix_branch = [&](const BranchConfig& branch, const std::string& prefix, int,
                              const OnnxValue& x) {
    if (branch.type == BranchType::kAttention) {
      return attend_in_source(builder, x, mask, prefix, {branch.channels, branch.heads});
    }
    return convolve_source(builder, x, mask,
                           {branch, builder.config.encoder.kernel_size(branch, index), prefix});
  };
  builder.graph.name_nodes(name);
  const OnnxValue mixed = with_residual(
      builder, Stack::kEncoder, input, name + ".self_attn_layer_norm", [&](const OnnxValue& x) {
        return mix_branches(builder, Stack::kEncoder, x, name + ".self_attn", mix_branch);
      });
  builder.graph.name_nodes(name);
  return with_residual(builder, Stack::kEncoder, mixed, name + ".final_layer_norm",
                       [&](const OnnxValue& x) { return feed_forward(builder, x, name); });
}

}  // namespace

OnnxCrossPorts cross_ports(const OnnxBuilder& builder, int layer, const OnnxDimension& batch) {
  const StackConfig& decoder = builder.config.decoder;
  const OnnxHeads heads{decoder.embed_dim, decoder.attention_heads};
  const std::string number = std::to_string(layer);
  return {keys_port("cross_keys_" + number, batch, heads, builder.source()),
          values_port("cross_values_" + number, batch, heads, builder.source())};
}

OnnxPort source_bias_port(const OnnxBuilder& builder, const OnnxDimension& batch) {
  return {"source_bias", OnnxType::kFloat32, {batch, 1, 1, builder.source()}};
}

void build_encoder(OnnxBuilder& builder) {
  OnnxGraph& graph = builder.graph;
  const StackConfig& decoder = builder.config.decoder;
  const OnnxValue tokens =
      graph.input({"source_tokens", OnnxType::kInt64, {builder.batch(), builder.source()}});
  const OnnxSourceMask mask = mask_of(builder, tokens);
  OnnxValue x = embed_source(builder, tokens);
  for (int layer = 0; layer < builder.config.encoder.layers; ++layer) {
    x = encoder_layer(builder, x, mask, layer);
  }
  if (builder.config.encoder.final_norm) {
    graph.name_nodes("encoder");
    x = layer_norm(builder, x, "encoder.layer_norm");
  }
  for (int layer = 0; layer < decoder.layers; ++layer) {
    const std::string prefix = "decoder.layers." + std::to_string(layer) + ".encoder_attn";
    const OnnxMemory memory =
        remember_source(builder, x, prefix, {decoder.embed_dim, decoder.attention_heads});
    const OnnxCrossPorts ports = cross_ports(builder, layer, builder.batch());
    graph.output(memory.keys, ports.keys);
    graph.output(memory.values, ports.values);
  }
  graph.output(mask.bias, source_bias_port(builder, builder.batch()));
}

}  // namespace ltz::formats
