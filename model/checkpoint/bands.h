#pragma once

#include <string>
#include <vector>

#include "model/checkpoint/config.h"
#include "model/checkpoint/tensor.h"

// Adaptive inputs (Baevski & Auli 2019) and adaptive softmax (Grave et al. 2017): the vocabulary,
// sorted by falling frequency, in bands whose vectors are the narrower the rarer their words.
namespace ltz {

// The words [first, first + size), with vectors of `width`.
struct Band {
  int first = 0;
  int size = 0;
  int width = 0;

  bool contains(int token) const { return token >= first && token < first + size; }
};

// The bands of the decoder's embeddings and of its output. Of the output, the first one is the
// head's words, as wide as the features unless its table is the input's. Empty without bands.
std::vector<Band> input_bands(const ModelConfig& config);
std::vector<Band> output_bands(const ModelConfig& config);

// Channels of the first input band.
int input_width(const ModelConfig& config);

// Names, as fairseq has them: the table of an input band (size, width) and its projection
// (embed_dim, width), then what the output has where the two are not tied.
std::string input_table(std::size_t band);
std::string input_projection(std::size_t band);
inline constexpr const char* kSoftmaxHead = "decoder.adaptive_softmax.head.weight";
inline constexpr const char* kClassProjection = "decoder.adaptive_softmax.head.class_proj.weight";
// With tied tables that are narrower than the features: (input_width, embed_dim).
inline constexpr const char* kWordProjection = "decoder.adaptive_softmax.head.word_proj.0.weight";
std::string tail_projection(std::size_t tail);
std::string tail_table(std::size_t tail);

// The table that an output band's logits are made with; of untied heads, the one with the classes
// behind the words.
std::string output_table(const ModelConfig& config, std::size_t band);

bool has_bands(const ModelConfig& config);

// Throws ConfigError, naming the setting, for cutoffs that are not ascending or lie outside of the
// vocabulary, a band without channels, and tied bands that differ.
void validate_bands(const ModelConfig& config);

}  // namespace ltz
