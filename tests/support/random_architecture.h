#pragma once

#include <initializer_list>
#include <set>
#include <string>
#include <vector>

#include "model/layers/transformer.h"

namespace ltz {

// A small, valid configuration out of everything that the family knows: lists of branches of uneven
// widths and heads, convolution-only models, plain attention, kernels of all sorts, norms,
// positions, shared tables, … The same for the same seed on every machine. At most 40 positions.
ModelConfig random_architecture(unsigned seed);

// The same for a language model: decoders alone; inputs and outputs in one table or in bands, tied,
// tied in part, or with bands of their own.
ModelConfig random_language_model(unsigned seed);

// What is particular about a configuration, in words: for tests to state that nothing was left out.
std::set<std::string> features_of(const ModelConfig& config);

// Sentences of so many tokens, and their </s>. vocabulary: its size. step: other steps, other
// tokens.
std::vector<TokenIds> some_sentences(std::initializer_list<int> lengths, int vocabulary, int step);

// Sources and targets of so many tokens for this model. Those of a language model: empty sources,
// and targets with <s> in front where the model has that.
struct SomeText {
  std::vector<TokenIds> sources;
  std::vector<TokenIds> targets;
};
SomeText some_text(std::initializer_list<int> lengths, const ModelConfig& config);

}  // namespace ltz
