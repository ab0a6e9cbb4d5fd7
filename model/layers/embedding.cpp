#include "model/layers/embedding.h"

#include <algorithm>
#include <cmath>

#include "model/base/assert.h"
#include "model/base/error.h"
#include "model/kernels/scratch.h"
#include "model/layers/transformer.h"

namespace ltz {

RowVector sinusoidal_position(int row, int width) {
  RowVector position = RowVector::Zero(width);
  const int half = width / 2;
  const float rate = -std::log(10000.0f) / static_cast<float>(half - 1);
  for (int i = 0; i < half; ++i) {
    const float angle = static_cast<float>(row) * std::exp(static_cast<float>(i) * rate);
    position(i) = std::sin(angle);
    position(half + i) = std::cos(angle);
  }
  return position;
}

Matrix sinusoidal_positions(int rows, int width) {
  Matrix table(rows, width);
  for (int row = 0; row < rows; ++row) {
    table.row(row) = sinusoidal_position(row, width);
  }
  return table;
}

void require_token(int token, int vocabulary) {
  if (token < 0 || token >= vocabulary) {
    throw ConfigError("token id " + std::to_string(token) + " is outside of the vocabulary of " +
                      std::to_string(vocabulary));
  }
}

Embedding::Embedding(const ParameterLookup& parameters, const ModelConfig& config, Stack which) {
  const bool encoder = which == Stack::kEncoder;
  const StackConfig& stack = encoder ? config.encoder : config.decoder;
  const std::string name = encoder ? "encoder" : "decoder";
  width_ = stack.embed_dim;
  rows_ = encoder ? config.source_vocabulary_size : config.target_vocabulary_size;
  longest_ = encoder ? config.max_source_positions : config.max_target_positions;
  const std::vector<Band> bands = encoder ? std::vector<Band>() : input_bands(config);
  for (std::size_t b = 0; b < bands.size(); ++b) {
    tables_.push_back({input_table(b), bands[b], parameters(input_table(b)).data(), {}});
    const std::string projection = input_projection(b);
    tables_.back().projection.emplace_back(parameters, projection.substr(0, projection.rfind('.')),
                                           width_, bands[b].width);
  }
  if (bands.empty()) {
    const std::string table = embedding_table(config, which);
    tables_.push_back({table, {0, rows_, width_}, parameters(table).data(), {}});
  }
  if (!config.token_positional_embeddings) {
    return;
  }
  if (stack.learned_positions) {
    learned_positions_ = name + ".embed_positions.weight";
    positions_ = parameters(learned_positions_).data();
  } else {
    const int tabled = std::min(longest_, kTabledPositions);
    sinusoids_ = sinusoidal_positions(tabled + Vocabulary::kPad + 1, width_);
    sinusoids_.row(Vocabulary::kPad).setZero();
    positions_ = sinusoids_.data();
  }
}

std::vector<Eigen::Index> Embedding::places_in(const Band& band, std::span<const int> tokens) {
  std::vector<Eigen::Index> places;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (band.contains(tokens[i])) {
      places.push_back(static_cast<Eigen::Index>(i));
    }
  }
  return places;
}

void Embedding::gather(const Table& table, std::span<const int> tokens,
                       std::span<const Eigen::Index> places, MutableMatrixView vectors) {
  const std::ptrdiff_t width = table.band.width;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const int token = tokens[static_cast<std::size_t>(places[i])];
    std::copy_n(table.vectors + (token - table.band.first) * width, width,
                vectors.row(static_cast<Eigen::Index>(i)).data());
  }
}

void Embedding::add_position(int position, Eigen::Ref<RowVector> x) const {
  LTZ_ASSERT(-1 <= position && position < longest_);
  const std::ptrdiff_t row = position + Vocabulary::kPad + 1;
  if (sinusoids_.rows() != 0 && row >= sinusoids_.rows()) {
    x += sinusoidal_position(static_cast<int>(row), width_);
  } else if (positions_ != nullptr) {
    x += Eigen::Map<const RowVector>(positions_ + row * width_, width_);
  }
}

void Embedding::look_up(std::span<const int> tokens, std::span<const int> positions,
                        MutableMatrixView x) const {
  for (const int token : tokens) {
    require_token(token, rows_);
  }
  const float scale = std::sqrt(static_cast<float>(width_));
  for (const Table& table : tables_) {
    if (table.projection.empty()) {
      for (std::size_t i = 0; i < tokens.size(); ++i) {
        x.row(static_cast<Eigen::Index>(i)) =
            Eigen::Map<const RowVector>(table.vectors + std::ptrdiff_t{tokens[i]} * width_,
                                        width_) *
            scale;
      }
      continue;
    }
    const std::vector<Eigen::Index> places = places_in(table.band, tokens);
    const auto count = static_cast<Eigen::Index>(places.size());
    if (count == 0) {
      continue;
    }
    Scratch vectors(count, table.band.width);
    Scratch projected(count, width_);
    gather(table, tokens, places, *vectors);
    table.projection.front()(*vectors, *projected);
    for (Eigen::Index i = 0; i < count; ++i) {
      x.row(places[static_cast<std::size_t>(i)]) = projected->row(i) * scale;
    }
  }
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    add_position(positions[i], x.row(static_cast<Eigen::Index>(i)));
  }
}

}  // namespace ltz
