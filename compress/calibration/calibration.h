#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "compress/calibration/input_moments.h"
#include "model/decoding/encoded_text.h"
#include "model/layers/transformer.h"

namespace ltz::compress {

// The sentences of a text, those of similar length together. Throws ConfigError for texts of
// different or no length.
std::vector<std::vector<std::size_t>> batches_of(const EncodedText& text);

// Second moments and sums of the inputs of these matrices while the model reads the text,
// teacher-forced. Memory does not grow with the text. The same for any number of threads. The
// model's observer is replaced. Throws ConfigError for texts of different or no length.
std::map<std::string, InputMoments> input_moments(Transformer& model, const EncodedText& text,
                                                  const std::set<std::string>& matrices);

// Moments of every matrix, and of every table: of the features that the output projection
// multiplies; where rows are only looked up, every channel counts the same, or as the projection of
// its band has it; both where a table is used for both. Without a text, and for what the text does
// not use, every input is taken to be like every other: no correlations.
// The model's observer is replaced.
std::map<std::string, InputMoments> all_moments(Transformer& model, const EncodedText& text);

}  // namespace ltz::compress
