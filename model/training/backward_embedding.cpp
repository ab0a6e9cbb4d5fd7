#include <cmath>

#include "model/kernels/scratch.h"
#include "model/layers/embedding.h"

namespace ltz {

void Embedding::backward(std::span<const int> tokens, std::span<const int> positions, MatrixView dx,
                         Gradients& gradients) const {
  const float scale = std::sqrt(static_cast<float>(width_));
  for (const Table& table : tables_) {
    const std::vector<Eigen::Index> places = places_in(table.band, tokens);
    const auto count = static_cast<Eigen::Index>(places.size());
    const Eigen::Index width = table.band.width;
    Eigen::Map<Matrix> dtable(gradients[table.name].data(), table.band.size, width);
    const auto row_of_token = [&](Eigen::Index place) {
      return tokens[static_cast<std::size_t>(place)] - table.band.first;
    };
    if (table.projection.empty()) {
      for (const Eigen::Index place : places) {
        dtable.row(row_of_token(place)) += dx.row(place) * scale;
      }
      continue;
    }
    if (count == 0) {
      continue;
    }
    Scratch vectors(count, width);
    Scratch dvectors(count, width);
    Scratch dprojected(count, width_);
    gather(table, tokens, places, *vectors);
    dvectors->setZero();
    for (Eigen::Index i = 0; i < count; ++i) {
      dprojected->row(i) = dx.row(places[static_cast<std::size_t>(i)]) * scale;
    }
    table.projection.front().backward(*vectors, *dprojected, *dvectors, gradients);
    for (Eigen::Index i = 0; i < count; ++i) {
      dtable.row(row_of_token(places[static_cast<std::size_t>(i)])) += dvectors->row(i);
    }
  }
  if (!learned_positions_.empty()) {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      const std::ptrdiff_t row = positions[i] + Vocabulary::kPad + 1;
      Eigen::Map<RowVector>(gradients[learned_positions_].data() + row * width_, width_) +=
          dx.row(static_cast<Eigen::Index>(i));
    }
  }
}

}  // namespace ltz
