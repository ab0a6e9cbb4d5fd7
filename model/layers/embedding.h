#pragma once

#include <span>
#include <string>
#include <vector>

#include "model/checkpoint/bands.h"
#include "model/checkpoint/checkpoint.h"
#include "model/checkpoint/gradients.h"
#include "model/kernels/matrix.h"
#include "model/layers/layers.h"

namespace ltz {

// Throws ConfigError for an id outside of a vocabulary of so many.
void require_token(int token, int vocabulary);

// Sinusoidal positions (Vaswani et al. 2017, section 3.5), (rows, width), in fairseq's layout:
// sines in the first half of the channels, cosines in the second. Row 0 is position 0 of the table;
// the first token of a sentence has row kPad + 1.
Matrix sinusoidal_positions(int rows, int width);
RowVector sinusoidal_position(int row, int width);  // one of them

// Of so many tokens a sentence finds its sinusoids in a table. A model may set no limit to its
// sentences, and those of further tokens are rare enough to be computed.
inline constexpr int kTabledPositions = 1024;

// Token embedding, scaled by sqrt(width), plus position. With adaptive inputs (Baevski & Auli 2019)
// a token's vector comes from the table and through the projection of its band.
class Embedding {
 public:
  Embedding(const ParameterLookup& parameters, const ModelConfig& config, Stack which);
  Embedding(const Embedding&) = delete;  // positions_ may point into sinusoids_
  Embedding& operator=(const Embedding&) = delete;

  // positions: of the tokens, from 0, below the model's maximum; -1: that of padding, row kPad.
  // x: (tokens, width), one row each. Throws ConfigError for ids outside of the vocabulary.
  void look_up(std::span<const int> tokens, std::span<const int> positions,
               MutableMatrixView x) const;

  // dx: (tokens, width), the gradient of a loss by what look_up made of these.
  void backward(std::span<const int> tokens, std::span<const int> positions, MatrixView dx,
                Gradients& gradients) const;

 private:
  // A table of embeddings and what they go through, if anything.
  struct Table {
    std::string name;
    Band band;
    const float* vectors;            // (band.size, band.width)
    std::vector<Linear> projection;  // at most one, (width, band.width)
  };
  // Which of the tokens are in a table's band.
  static std::vector<Eigen::Index> places_in(const Band& band, std::span<const int> tokens);
  // Their vectors, one a row.
  static void gather(const Table& table, std::span<const int> tokens,
                     std::span<const Eigen::Index> places, MutableMatrixView vectors);
  void add_position(int position, Eigen::Ref<RowVector> x) const;

  int width_ = 0;
  int rows_ = 0;
  int longest_ = 0;  // sentence
  std::vector<Table> tables_;
  std::string learned_positions_;     // or none
  const float* positions_ = nullptr;  // (maximum or kTabledPositions + 2, width), or none
  Matrix sinusoids_;
};

}  // namespace ltz
