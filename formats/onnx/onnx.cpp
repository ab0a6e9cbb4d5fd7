#include "formats/onnx/onnx.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <string_view>
#include <utility>

#include "formats/bytes/word_list.h"
#include "formats/onnx/blocks.h"
#include "formats/onnx/golden.h"
#include "formats/onnx/graph.h"
#include "formats/onnx/parameters.h"
#include "model/base/context.h"
#include "model/base/error.h"

namespace ltz::formats {
namespace {

Tensor as_float16(const Tensor& tensor) {
  std::vector<float> values = tensor.values();
  for (float& value : values) {
    const float rounded = round_to_float16(value);
    if (!std::isfinite(rounded)) {
      throw ConfigError(fmt::format("expected values that float16 can hold, found {}", value));
    }
    value = rounded;
  }
  return dense_tensor(tensor.shape, std::move(values), Precision::kFloat16);
}

// The model that the graphs are to compute, each tensor as it is to be stored.
Checkpoint with_weights(const Checkpoint& checkpoint, OnnxWeights weights) {
  Checkpoint result = checkpoint;
  if (weights == OnnxWeights::kCodes) {
    if (std::ranges::none_of(result.tensors,
                             [](const auto& entry) { return entry.second.quantized(); })) {
      throw ConfigError("the model has no codebooks to be written; `ltz quantize` makes them");
    }
    return result;
  }
  for (auto& [name, tensor] : result.tensors) {
    in_context("tensor " + name, [&, &stored = tensor] {
      stored = weights == OnnxWeights::kFloat16 ? as_float16(stored)
                                                : dense_tensor(stored.shape, stored.values());
    });
  }
  return result;
}

void require_positions(const char* side, int length, int positions) {
  if (length > positions) {
    throw ConfigError(fmt::format("fixed lengths: the model takes at most {} {} tokens, found {}",
                                  positions, side, length));
  }
}

std::vector<std::byte> bytes_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

// A word a line, in the order of their ids.
std::vector<std::byte> vocabulary_file(const Vocabulary& vocabulary) {
  std::string text;
  for (int id = 0; id < vocabulary.size(); ++id) {
    text += fmt::format("{}\n", vocabulary.word(id));
  }
  return bytes_of(text);
}

std::vector<std::byte> graph_file(const char* name, void (*build)(OnnxBuilder&),
                                  const Checkpoint& checkpoint, const OnnxOptions& options,
                                  OnnxFiles& files) {
  OnnxGraph graph(name, options.opset);
  OnnxParameters parameters(checkpoint, graph, options.tables_in_files ? &files : nullptr,
                            options.sparse);
  OnnxBuilder builder{checkpoint.config, options, graph, parameters, checkpoint};
  build(builder);
  return graph.encode();
}

}  // namespace

OnnxFiles export_onnx(const Checkpoint& checkpoint, const OnnxOptions& options) {
  validate(checkpoint);
  const bool language_model = is_language_model(checkpoint.config);
  if (options.logits && !checkpoint.config.adaptive_softmax.cutoffs.empty()) {
    throw ConfigError("an adaptive softmax has log-probabilities, but no logits");
  }
  if (options.lengths) {
    if (!language_model) {
      require_positions("source", options.lengths->source, checkpoint.config.max_source_positions);
    }
    require_positions("target", options.lengths->target, checkpoint.config.max_target_positions);
  }
  const Checkpoint model = with_weights(checkpoint, options.weights);
  OnnxFiles files;
  if (!language_model) {
    files["encoder.onnx"] = graph_file("encoder", build_encoder, model, options, files);
    files["source_vocabulary.txt"] = vocabulary_file(model.source_vocabulary);
  }
  files["decoder_step.onnx"] =
      graph_file("decoder_step", build_decoder_step, model, options, files);
  files["target_vocabulary.txt"] = vocabulary_file(model.target_vocabulary);
  if (!model.merges.empty()) {
    files["bpe.codes"] = bytes_of("#version: 0.2\n" + join_lines(merge_lines(model.merges)));
  }
  if (!model.sentencepiece.empty()) {
    files["sentencepiece.model"] = bytes_of(model.sentencepiece);
  }
  if (options.golden > 0) {
    files["golden.safetensors"] = golden_file(model, options);
  }
  return files;
}

}  // namespace ltz::formats
