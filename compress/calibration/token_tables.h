#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compress/calibration/noise_sensitivity.h"
#include "model/checkpoint/checkpoint.h"

// The tables of token embeddings, in and out: a row for each word.
namespace ltz::compress {

inline constexpr const char* kEncoderTable = "encoder.embed_tokens.weight";
inline constexpr const char* kDecoderTable = "decoder.embed_tokens.weight";

bool is_token_table(const ParameterSpec& spec);
// Whether rows of the table are taken for input tokens; with adaptive inputs, those of every band.
bool is_looked_up(const ModelConfig& config, const std::string& table);
// The band whose vectors the table has, if it is one of adaptive inputs.
std::optional<std::size_t> input_band_of(const ModelConfig& config, const std::string& table);

// How often each word occurs in a sentence, on average.
struct TokenFrequencies {
  std::vector<double> source;  // (source vocabulary)
  std::vector<double> target;  // (target vocabulary)
  double least = 1.0;          // of words that may occur, but did not
};

// Counted in these sentences; the sides may have different numbers of them.
TokenFrequencies token_frequencies(const Checkpoint& checkpoint,
                                   const std::vector<TokenIds>& sources,
                                   const std::vector<TokenIds>& targets);

// How much the rows of each token table count: more for words that occur more often. Mean 1.
RowWeights table_row_weights(const Checkpoint& checkpoint, const TokenFrequencies& frequencies);

}  // namespace ltz::compress
