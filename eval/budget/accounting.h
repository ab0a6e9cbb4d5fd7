#pragma once

#include <cstdint>

#include "model/checkpoint/config.h"

// Parameters and Mult-Adds as the paper counts them (Wu et al. 2020, Tables 1, 2 and 4), from the
// configuration alone.
namespace ltz::eval {

struct ParameterCounts {
  std::int64_t total = 0;          // tied matrices once
  std::int64_t embedding = 0;      // embedding tables, learned positions, a separate output matrix
  std::int64_t non_embedding = 0;  // total - embedding
  std::int64_t paper = 0;          // the paper's #Params: non_embedding + a separate output matrix
};

ParameterCounts count_parameters(const ModelConfig& config);

// Bytes of so many parameters as float32.
constexpr std::int64_t fp32_bytes(std::int64_t parameters) {
  return 4 * parameters;
}

// Multiplications in matrix products and convolutions for one source sentence of src_len tokens and
// one target sentence of tgt_len: linear layers, QK^T and AV over the full square, tokens x taps x
// channels of convolutions; neither embeddings nor the output projection.
std::int64_t mult_adds(const ModelConfig& config, std::int64_t src_len, std::int64_t tgt_len);

// Left out above, though a benchmark must count it: the output projection of `rows` decoder
// rows to the target vocabulary.
std::int64_t output_mult_adds(const ModelConfig& config, std::int64_t rows);

// Teacher-forced reading of a sentence and its target, output projection included.
std::int64_t reading_mult_adds(const ModelConfig& config, std::int64_t src_len,
                               std::int64_t tgt_len);

// A step of the decoder, output projection included, for `rows` hypotheses that look back on
// `history` tokens each, the new one included, and at a source sentence of src_len.
std::int64_t step_mult_adds(const ModelConfig& config, std::int64_t src_len, std::int64_t history,
                            std::int64_t rows);

// Beam search of one sentence by the same rules, output projection included: the source side once,
// one decoder row at the first of `steps` steps and `beam` at each of the others, all of them with
// the attention of a target of `steps` tokens.
std::int64_t search_mult_adds(const ModelConfig& config, std::int64_t src_len, std::int64_t steps,
                              std::int64_t beam);

}  // namespace ltz::eval
