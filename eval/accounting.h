#pragma once

#include <cstdint>

#include "model/config.h"

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

// Multiplications in matrix products and convolutions for one source sentence of src_len tokens and
// one target sentence of tgt_len: linear layers, QK^T and AV over the full square, tokens x taps x
// channels of convolutions; neither embeddings nor the output projection.
std::int64_t mult_adds(const ModelConfig& config, std::int64_t src_len, std::int64_t tgt_len);

}  // namespace ltz::eval
