#pragma once

#include <cstdint>
#include <span>

#include "model/checkpoint/config.h"

// Parameters and Mult-Adds as the paper counts them (Wu et al. 2020, Tables 1, 2, 4 and 5), from
// the configuration alone. A language model reads no source: its src_len is 0.
namespace ltz::eval {

struct ParameterCounts {
  std::int64_t total = 0;          // tied matrices once
  std::int64_t tables = 0;         // embedding tables, learned positions, separate output matrices
  std::int64_t projections = 0;    // between a band's vectors and the model's; the classes of bands
  std::int64_t embedding = 0;      // tables + projections
  std::int64_t non_embedding = 0;  // total - embedding: the layers and their norms
  // The paper's #Params: of a translation model non_embedding + a separate output matrix, of a
  // language model (Table 5) the layers alone.
  std::int64_t paper = 0;
};

ParameterCounts count_parameters(const ModelConfig& config);

// Bytes of so many parameters as float32.
constexpr std::int64_t fp32_bytes(std::int64_t parameters) {
  return 4 * parameters;
}

// Multiplications for one source sentence of src_len tokens and one target sentence of tgt_len.
struct MultAdds {
  std::int64_t linear = 0;            // tokens x weights of the layers' matrices
  std::int64_t attention = 0;         // QK^T and AV over the full square, also where it is causal
  std::int64_t convolution = 0;       // tokens x taps x channels
  std::int64_t input_projection = 0;  // of adaptive inputs, every token as if in the first band
  std::int64_t norms = 0;             // tokens x channels of every LayerNorm

  // What is computed in the layers: neither embeddings nor the output projection.
  std::int64_t total() const { return linear + attention + convolution; }
  // What Tables 1, 2 and 5 print. The profiler behind them did not see the convolution itself.
  std::int64_t paper() const { return linear + attention + input_projection + norms; }
};

MultAdds count_mult_adds(const ModelConfig& config, std::int64_t src_len, std::int64_t tgt_len);

// count_mult_adds().total()
std::int64_t mult_adds(const ModelConfig& config, std::int64_t src_len, std::int64_t tgt_len);

// Left out above, though a benchmark must count it: the output projection of `rows` decoder
// rows to the target vocabulary; of an adaptive softmax the head and all tails.
std::int64_t output_mult_adds(const ModelConfig& config, std::int64_t rows);

// The same for scoring these targets, one a row: of an adaptive softmax only the head and the tails
// that they are in.
std::int64_t scoring_mult_adds(const ModelConfig& config, std::span<const int> targets);

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
