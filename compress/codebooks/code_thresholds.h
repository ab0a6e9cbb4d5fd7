#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace ltz::compress {

// Squared error that a bit is worth to an entropy-constrained quantizer with such centroids. At
// high rates the error D = step^2 / 12 falls by 2 ln 2 D for a bit more; the step is the median
// distance of neighbours. 0 for fewer than two centroids. centroids: ascending.
double price_of_a_bit(std::span<const float> centroids);

// The cells of an entropy-constrained quantizer (Chou, Lookabaugh, Gray 1989): a value x has the
// centroid c for which (x - c)^2 + price * length of its code is least. The costs of two centroids
// differ by a straight line, so the cells are intervals, those of the lower envelope. Where codes
// differ much in length a centroid may be in the cell of another, and its own cell empty.
//
// centroids: (k), ascending; two may be equal. lengths: (k), in bits. Returns (k + 1), ascending:
// the cell of centroid j goes from number j up to, not including, number j + 1; the first is
// -infinity, the last infinity.
std::vector<float> code_thresholds(std::span<const float> centroids, std::span<const float> lengths,
                                   double price);

// The code of the cell that the value is in. thresholds: (k + 1), as above; code: of a value a
// little different, whose cell is looked for first. A NaN keeps the code.
inline std::uint8_t code_of(float value, std::span<const float> thresholds, std::uint8_t code) {
  const std::size_t last = thresholds.size() - 2;
  while (code < last && value >= thresholds[code + 1u]) {
    ++code;
  }
  while (value < thresholds[code]) {  // the first of them is below all
    --code;
  }
  return code;
}

}  // namespace ltz::compress
