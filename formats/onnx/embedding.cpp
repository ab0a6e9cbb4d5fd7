#include <cmath>
#include <numeric>

#include "formats/onnx/blocks.h"
#include "model/checkpoint/bands.h"
#include "model/layers/transformer_layers.h"

namespace ltz::formats {
namespace {

constexpr std::int64_t kFirstPosition =
    Vocabulary::kPad + 1;  // the row of a sentence's first token

// rows: (n) int64 -> (n, width): sines of position times frequency, then cosines.
OnnxValue sinusoids(OnnxGraph& graph, const OnnxValue& rows, int width) {
  const int half = width / 2;
  const float rate = -std::log(10000.0f) / static_cast<float>(half - 1);
  std::vector<float> frequencies;
  for (int i = 0; i < half; ++i) {
    frequencies.push_back(std::exp(static_cast<float>(i) * rate));
  }
  const OnnxValue column = graph.apply("Reshape", {rows, graph.integers({-1, 1})});
  const OnnxValue positions =
      graph.apply("Cast", {column}, {{"to", onnx_data_type(OnnxType::kFloat32)}});
  const OnnxValue angles = graph.apply(
      "Mul", {positions, graph.constant("frequencies", onnx_floats({1, half}, frequencies))});
  const OnnxValue both = graph.apply(
      "Concat", {graph.apply("Sin", {angles}), graph.apply("Cos", {angles})}, {{"axis", -1}});
  // The last channel of an odd width has no wave.
  return width % 2 == 0 ? both : graph.apply("Pad", {both, graph.integers({0, 0, 0, 1})});
}

// (positions, width), from a sentence's first token on.
OnnxTensor sinusoidal_table(int positions, int width) {
  constexpr int kFirst = static_cast<int>(kFirstPosition);
  const Matrix table = sinusoidal_positions(kFirst + positions, width);
  return onnx_floats({positions, width},
                     {table.row(kFirst).data(), static_cast<std::size_t>(positions * width)});
}

// (source, width)
OnnxValue source_positions(OnnxBuilder& builder, const OnnxValue& tokens) {
  OnnxGraph& graph = builder.graph;
  const StackConfig& stack = builder.config.encoder;
  OnnxValue rows;
  if (builder.options.lengths) {
    const int length = builder.options.lengths->source;
    if (!stack.learned_positions) {
      return graph.constant("positions", sinusoidal_table(length, stack.embed_dim));
    }
    std::vector<std::int64_t> all(static_cast<std::size_t>(length));
    std::iota(all.begin(), all.end(), kFirstPosition);
    rows = graph.constant("positions", onnx_integers({length}, all));
  } else {
    const OnnxValue length =
        graph.apply("Gather", {graph.apply("Shape", {tokens}), graph.integer(1)});
    const OnnxValue end = graph.apply("Add", {length, graph.integer(kFirstPosition)});
    rows = graph.apply("Range", {graph.integer(kFirstPosition), end, graph.integer(1)});
  }
  return stack.learned_positions ? builder.parameters.rows("encoder.embed_positions.weight", rows)
                                 : sinusoids(graph, rows, stack.embed_dim);
}

// (1, width)
OnnxValue target_position(OnnxBuilder& builder, const OnnxStep& step) {
  OnnxGraph& graph = builder.graph;
  const StackConfig& stack = builder.config.decoder;
  if (builder.options.lengths && !stack.learned_positions) {
    const int length = builder.options.lengths->target;
    const OnnxValue table = graph.constant("positions", sinusoidal_table(length, stack.embed_dim));
    return graph.apply("Gather", {table, step.position});
  }
  const OnnxValue row = graph.apply("Add", {step.position, graph.integers({kFirstPosition})});
  return stack.learned_positions ? builder.parameters.rows("decoder.embed_positions.weight", row)
                                 : sinusoids(graph, row, stack.embed_dim);
}

// Of each token the row of its band's table through the band's projection (Baevski & Auli 2019):
// every band makes a vector, of its nearest row, and the last one that the token reaches stays.
OnnxValue embed_in_bands(OnnxBuilder& builder, const OnnxValue& token) {
  OnnxGraph& graph = builder.graph;
  const std::vector<Band> bands = input_bands(builder.config);
  OnnxValue embedded;
  for (std::size_t b = 0; b < bands.size(); ++b) {
    const Band& band = bands[b];
    const OnnxValue place =
        graph.apply("Clip", {graph.apply("Sub", {token, graph.integer(band.first)}),
                             graph.integer(0), graph.integer(band.size - 1)});
    const OnnxValue vector = graph.apply("Gemm",
                                         {builder.parameters.rows(input_table(b), place),
                                          builder.parameters.whole(input_projection(b))},
                                         {{"transB", 1}});
    if (b == 0) {
      embedded = vector;
      continue;
    }
    const OnnxValue reached = graph.apply("GreaterOrEqual", {token, graph.integer(band.first)});
    embedded = graph.apply(
        "Where", {graph.apply("Reshape", {reached, graph.integers({-1, 1})}), vector, embedded});
  }
  return embedded;
}

// Vectors of the tokens, scaled by the root of their width.
OnnxValue embed(OnnxBuilder& builder, Stack which, const OnnxValue& tokens) {
  const auto width = static_cast<float>(builder.stack(which).embed_dim);
  const OnnxValue embedded =
      builder.config.adaptive_input.cutoffs.empty()
          ? builder.parameters.rows(embedding_table(builder.config, which), tokens)
          : embed_in_bands(builder, tokens);
  return builder.graph.apply("Mul", {embedded, builder.graph.number(std::sqrt(width))});
}

}  // namespace

OnnxValue embed_source(OnnxBuilder& builder, const OnnxValue& tokens) {
  builder.graph.name_nodes("encoder.embed_tokens");
  const OnnxValue x = embed(builder, Stack::kEncoder, tokens);
  if (!builder.config.token_positional_embeddings) {
    return x;
  }
  builder.graph.name_nodes("encoder.embed_positions");
  return builder.graph.apply("Add", {x, source_positions(builder, tokens)});
}

OnnxValue embed_step(OnnxBuilder& builder, const OnnxStep& step, const OnnxValue& token) {
  builder.graph.name_nodes("decoder.embed_tokens");
  const OnnxValue x = embed(builder, Stack::kDecoder, token);
  if (!builder.config.token_positional_embeddings) {
    return x;
  }
  builder.graph.name_nodes("decoder.embed_positions");
  return builder.graph.apply("Add", {x, target_position(builder, step)});
}

}  // namespace ltz::formats
