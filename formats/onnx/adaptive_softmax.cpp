#include "formats/onnx/blocks.h"
#include "model/checkpoint/bands.h"

// The output over a vocabulary in bands (Grave et al. 2017): see AdaptiveSoftmax of model/layers.
namespace ltz::formats {
namespace {

// x W^T with a matrix that is stored as it is: an input band looks up its rows, or uses it in the
// other direction.
OnnxValue product(OnnxBuilder& builder, const OnnxValue& x, const std::string& matrix) {
  return builder.graph.apply("Gemm", {x, builder.parameters.whole(matrix)}, {{"transB", 1}});
}

OnnxValue log_softmax(OnnxGraph& graph, const OnnxValue& x) {
  return graph.apply("LogSoftmax", {x}, {{"axis", -1}});
}

// Logits of the first band's words, then of a class for every other band.
OnnxValue head(OnnxBuilder& builder, const OnnxValue& x, const std::vector<Band>& bands) {
  const ModelConfig& config = builder.config;
  const bool tied = config.tie_adaptive_weights;
  const bool narrow = tied && bands.front().width != config.decoder.embed_dim;
  const OnnxValue words =
      product(builder, narrow ? product(builder, x, kWordProjection) : x, output_table(config, 0));
  if (!tied || bands.size() == 1) {
    return words;
  }
  return builder.graph.apply("Concat", {words, product(builder, x, kClassProjection)},
                             {{"axis", -1}});
}

// What the words of a band after the first have within it.
OnnxValue tail(OnnxBuilder& builder, const OnnxValue& x, std::size_t band) {
  const OnnxValue hidden =
      builder.config.tie_adaptive_proj
          ? builder.graph.apply("MatMul", {x, builder.parameters.whole(input_projection(band))})
          : product(builder, x, tail_projection(band - 1));
  return log_softmax(builder.graph, product(builder, hidden, output_table(builder.config, band)));
}

}  // namespace

OnnxValue adaptive_log_probabilities(OnnxBuilder& builder, const OnnxValue& x) {
  OnnxGraph& graph = builder.graph;
  const std::vector<Band> bands = output_bands(builder.config);
  graph.name_nodes("decoder.adaptive_softmax");
  const OnnxValue first = log_softmax(graph, head(builder, x, bands));
  if (bands.size() == 1) {
    return first;
  }
  std::vector<std::int64_t> sizes(bands.size(), 1);
  sizes.front() = bands.front().size;
  std::vector<OnnxValue> parts =
      graph.apply("Split", {first, graph.integers(sizes)}, {{"axis", -1}}, sizes.size());
  for (std::size_t b = 1; b < bands.size(); ++b) {
    parts[b] = graph.apply("Add", {tail(builder, x, b), parts[b]});
  }
  return graph.apply("Concat", parts, {{"axis", -1}});
}

}  // namespace ltz::formats
