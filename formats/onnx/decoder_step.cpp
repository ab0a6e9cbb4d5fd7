#include <numeric>

#include "formats/onnx/blocks.h"
#include "model/layers/transformer.h"

namespace ltz::formats {
namespace {

OnnxStep begin_step(OnnxBuilder& builder) {
  OnnxGraph& graph = builder.graph;
  OnnxStep step{.position = graph.input({"position", OnnxType::kInt64, {1}})};
  if (builder.options.lengths) {
    graph.name_nodes("decoder.slots");
    std::vector<std::int64_t> numbers(static_cast<std::size_t>(builder.options.lengths->target));
    std::iota(numbers.begin(), numbers.end(), 0);
    const OnnxValue slots =
        graph.constant("slots", onnx_integers({builder.options.lengths->target}, numbers));
    step.slot = graph.apply("Equal", {slots, step.position});
    step.bias = graph.apply("Where", {graph.apply("Greater", {slots, step.position}),
                                      graph.number(kOnnxMasked), graph.number(0.0f)});
  }
  return step;
}

// source_bias: none for a language model, whose layers have no cross-attention.
OnnxValue decoder_layer(OnnxBuilder& builder, OnnxStep& step, const OnnxValue& input,
                        const OnnxValue& source_bias, int index) {
  OnnxGraph& graph = builder.graph;
  const StackConfig& stack = builder.config.decoder;
  const std::string name = "decoder.layers." + std::to_string(index);
  const auto mix_branch = [&](const BranchConfig& branch, const std::string& prefix, int number,
                              const OnnxValue& x) {
    const std::string place = std::to_string(index) + "_" + std::to_string(number);
    if (branch.type == BranchType::kAttention) {
      return attend_in_target(builder, step, x, place, prefix, {branch.channels, branch.heads});
    }
    return convolve_target(builder, step, x, place,
                           {branch, stack.kernel_size(branch, index), prefix});
  };
  graph.name_nodes(name);
  const OnnxValue mixed = with_residual(
      builder, Stack::kDecoder, input, name + ".self_attn_layer_norm", [&](const OnnxValue& x) {
        return mix_branches(builder, Stack::kDecoder, x, name + ".self_attn", mix_branch);
      });
  OnnxValue attended = mixed;
  if (!source_bias.empty()) {
    const OnnxCrossPorts ports = cross_ports(builder, index, builder.source_batch());
    const OnnxMemory source = {graph.input(ports.keys), graph.input(ports.values)};
    graph.name_nodes(name);
    attended =
        with_residual(builder, Stack::kDecoder, mixed, name + ".encoder_attn_layer_norm",
                      [&](const OnnxValue& x) {
                        return attend_to(builder, x, source, source_bias, name + ".encoder_attn",
                                         {stack.embed_dim, stack.attention_heads});
                      });
  }
  graph.name_nodes(name);
  return with_residual(builder, Stack::kDecoder, attended, name + ".final_layer_norm",
                       [&](const OnnxValue& x) { return feed_forward(builder, x, name); });
}

// Features of one token -> the scores of all words, under the name of their output.
OnnxValue scores_of(OnnxBuilder& builder, const OnnxValue& x, std::string& name) {
  const ModelConfig& config = builder.config;
  name = "log_probabilities";
  if (!config.adaptive_softmax.cutoffs.empty()) {
    return adaptive_log_probabilities(builder, x);
  }
  OnnxGraph& graph = builder.graph;
  const OnnxValue logits =
      graph.apply("Gemm", {x, builder.parameters.whole(output_table(config))}, {{"transB", 1}});
  if (builder.options.logits) {
    name = "logits";
    return logits;
  }
  return graph.apply("LogSoftmax", {logits}, {{"axis", -1}});
}

}  // namespace

void build_decoder_step(OnnxBuilder& builder) {
  OnnxGraph& graph = builder.graph;
  const ModelConfig& config = builder.config;
  const OnnxValue token = graph.input({"token", OnnxType::kInt64, {builder.batch()}});
  OnnxStep step = begin_step(builder);
  const OnnxValue source_bias =
      is_language_model(config) ? OnnxValue()
                                : graph.input(source_bias_port(builder, builder.source_batch()));
  OnnxValue x = embed_step(builder, step, token);
  for (int layer = 0; layer < config.decoder.layers; ++layer) {
    x = decoder_layer(builder, step, x, source_bias, layer);
  }
  graph.name_nodes("decoder");
  if (config.decoder.final_norm) {
    x = layer_norm(builder, x, "decoder.layer_norm");
  }
  std::string name;
  const OnnxValue scores = scores_of(builder, x, name);
  graph.output(scores,
               {name, OnnxType::kFloat32, {builder.batch(), config.target_vocabulary_size}});
  for (const auto& [value, port] : step.present) {
    graph.output(value, port);
  }
}

}  // namespace ltz::formats
