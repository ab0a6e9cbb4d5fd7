#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "model/checkpoint/config.h"
#include "model/checkpoint/tensor.h"
#include "model/text/bpe.h"
#include "model/text/vocabulary.h"

namespace ltz {

// A trained model: everything that translation needs. Pruned or quantized, it is the same type.
// Tied matrices are there once, under the name of the first in this order:
// encoder.embed_tokens.weight, decoder.embed_tokens.weight, decoder.embed_out; those of an adaptive
// softmax under the names that the adaptive input gives them. A language model has no source
// vocabulary, and texts are sentences of the target.
struct Checkpoint {
  ModelConfig config;
  Vocabulary source_vocabulary;
  Vocabulary target_vocabulary;
  BpeMerges merges;
  std::string sentencepiece;  // a SentencePiece model file, which then segments text; or empty
  std::map<std::string, Tensor> tensors;
};

enum class Stack { kEncoder, kDecoder };

// The part of a layer that a parameter belongs to.
enum class Component {
  kEmbedding,
  kAttention,
  kConvolution,
  kCrossAttention,
  kFeedForward,
  kNorm,
};

// The role of a parameter in the arithmetic.
enum class Role {
  kTable,   // embedding: rows are looked up; also the output projection
  kMatrix,  // (out, in) of a linear layer
  kKernel,  // (heads, 1, taps) of a lightweight convolution
  kBias,
  kGain,  // weight of a LayerNorm
};

struct ParameterSpec {
  std::string name;
  Shape shape;
  Stack stack;
  int layer;  // -1: outside the layers
  Component component;
  Role role;
};

// The parameters of a model of this configuration, in the order of computation, tied ones once.
std::vector<ParameterSpec> parameter_specs(const ModelConfig& config);

// Throws ConfigError when there are fewer tensors than a model of this configuration has layers and
// branches. To be asked before parameter_specs() of what a file says: a few bytes can ask for
// a million parameters.
void require_tensors_for_layers(const ModelConfig& config, std::size_t tensors);

// Throws ConfigError, naming tensor, expected and found, unless the tensors are exactly the
// configuration's, all finite, and the vocabularies have as many entries as the embeddings have
// rows.
void validate(const Checkpoint& checkpoint);

// "encoder attention", "decoder cross-attention", "embedding", …: the groups of reports.
std::string group_name(const ParameterSpec& spec);

}  // namespace ltz
