#include "formats/onnx/golden.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <span>
#include <string>
#include <utility>

#include "formats/onnx/graph.h"
#include "formats/safetensors/safetensors.h"
#include "model/decoding/beam_search.h"
#include "model/decoding/continuation.h"
#include "model/decoding/scoring.h"
#include "model/layers/transformer.h"

namespace ltz::formats {
namespace {

constexpr int kMostWords = 12;
constexpr int kMostSteps = 24;

using GoldenTensors = std::map<std::string, OnnxTensor>;

// Words and </s>; of sentence 0 there is but </s>.
TokenIds random_sentence(int number, int longest, int vocabulary) {
  std::mt19937 random(static_cast<unsigned>(number));
  const int words = std::min(number % (kMostWords + 1), longest - 1);
  TokenIds sentence;
  for (int i = 0; i < words; ++i) {
    const auto ordinary = static_cast<unsigned>(std::max(vocabulary - Vocabulary::kUnk, 1));
    sentence.push_back(Vocabulary::kUnk + static_cast<int>(random() % ordinary));
  }
  sentence.push_back(Vocabulary::kEos);
  return sentence;
}

OnnxTensor tokens_tensor(Shape shape, const TokenIds& tokens) {
  return onnx_integers(std::move(shape), std::vector<std::int64_t>(tokens.begin(), tokens.end()));
}

// rows: (tokens, heads * width) -> (1, heads, width, tokens) or (1, heads, tokens, width)
OnnxTensor heads_tensor(const kernels::Rows& rows, int heads, bool time_last) {
  const auto tokens = rows.size();
  const auto count = static_cast<std::size_t>(heads);
  const std::size_t width = rows.width / count;
  std::vector<float> values(tokens * rows.width);
  for (std::size_t head = 0; head < count; ++head) {
    for (std::size_t t = 0; t < tokens; ++t) {
      for (std::size_t c = 0; c < width; ++c) {
        const std::size_t place = time_last ? c * tokens + t : t * width + c;
        values[head * width * tokens + place] = rows[t][head * width + c];
      }
    }
  }
  const auto length = static_cast<std::int64_t>(tokens);
  const auto channels = static_cast<std::int64_t>(width);
  return onnx_floats(
      time_last ? Shape{1, heads, channels, length} : Shape{1, heads, length, channels}, values);
}

void add_encoder(const Transformer& model, const TokenIds& source, const std::string& prefix,
                 GoldenTensors& tensors) {
  const EncodedBatch encoded = model.encode(std::span(&source, 1));
  const DecoderState state = model.start_decoding(encoded);
  std::vector<std::int32_t> all(source.size());
  std::iota(all.begin(), all.end(), 0);
  const int heads = model.config().decoder.attention_heads;
  for (std::size_t layer = 0; layer < state.cross_memory.size(); ++layer) {
    const Attention::Memory& memory = state.cross_memory[layer];
    tensors[fmt::format("{}cross_keys_{}", prefix, layer)] =
        heads_tensor(memory.keys.rows(all), heads, true);
    tensors[fmt::format("{}cross_values_{}", prefix, layer)] =
        heads_tensor(memory.values.rows(all), heads, false);
  }
}

// What the decoder reads, and its scores after each token. features: of these tokens.
void add_scores(const Transformer& model, const TokenIds& read, const Matrix& features, bool logits,
                const std::string& prefix, GoldenTensors& tensors) {
  const auto steps = static_cast<std::int64_t>(read.size());
  tensors[prefix + "tokens"] = tokens_tensor({steps}, read);
  Matrix scores = model.logits(features);
  for (Eigen::Index i = 0; !logits && i < scores.rows(); ++i) {
    const auto width = static_cast<std::size_t>(scores.cols());
    scores.row(i).array() -= kernels::log_sum_exp({scores.row(i).data(), width});
  }
  tensors[prefix + (logits ? "logits" : "log_probabilities")] =
      onnx_floats({steps, scores.cols()}, {scores.data(), static_cast<std::size_t>(scores.size())});
}

// target: with its </s>.
void add_decoder(const Transformer& model, const TokenIds& source, const TokenIds& target,
                 bool logits, const std::string& prefix, GoldenTensors& tensors) {
  TokenIds read = {Vocabulary::kEos};
  read.insert(read.end(), target.begin(), target.end() - 1);
  const Matrix features =
      teacher_forced_features(model, std::span(&source, 1), std::span(&target, 1));
  add_scores(model, read, features, logits, prefix, tensors);
}

// words: with </s>, for a language model, which reads them behind the start of a text.
void add_text(const Transformer& model, const TokenIds& words, bool logits,
              const std::string& prefix, GoldenTensors& tensors) {
  TokenIds read = {start_token(model.config())};
  read.insert(read.end(), words.begin(), words.end() - 1);
  std::vector<std::int32_t> history(read.size());
  std::iota(history.begin(), history.end(), 0);
  std::vector<DecoderRow> rows;
  for (std::size_t i = 0; i < read.size(); ++i) {
    rows.push_back({.token = read[i],
                    .position = static_cast<int>(i),
                    .history = std::span(history).first(i + 1)});
  }
  DecoderState state = model.start_decoding();
  add_scores(model, read, model.decode(state, rows), logits, prefix, tensors);
}

std::vector<std::byte> encode(const GoldenTensors& tensors) {
  SafetensorsFile file;
  for (const auto& [name, tensor] : tensors) {
    file.tensors[name] = {tensor.type == OnnxType::kInt64 ? "I64" : "F32", tensor.shape,
                          tensor.bytes};
  }
  return encode_safetensors(file);
}

}  // namespace

std::vector<std::byte> golden_file(const Checkpoint& checkpoint, const OnnxOptions& options) {
  const Transformer model(checkpoint);
  const ModelConfig& config = checkpoint.config;
  const int longest = options.lengths ? options.lengths->source : config.max_source_positions;
  const int steps =
      std::min(kMostSteps, options.lengths ? options.lengths->target : config.max_target_positions);
  GoldenTensors tensors;
  for (int sentence = 0; sentence < options.golden; ++sentence) {
    const std::string prefix = fmt::format("{}.", sentence);
    if (is_language_model(config)) {
      const TokenIds words = random_sentence(sentence, steps, config.target_vocabulary_size);
      add_text(model, words, options.logits, prefix, tensors);
      continue;
    }
    const TokenIds source = random_sentence(sentence, longest, config.source_vocabulary_size);
    tensors[prefix + "source_tokens"] =
        tokens_tensor({1, static_cast<std::int64_t>(source.size())}, source);
    add_encoder(model, source, prefix, tensors);
    const BeamOptions greedy{.beam = 1, .max_len_b = steps - 1};
    const auto found = beam_search(model, std::span(&source, 1), greedy);
    add_decoder(model, source, found.front().front().tokens, options.logits, prefix, tensors);
  }
  return encode(tensors);
}

}  // namespace ltz::formats
