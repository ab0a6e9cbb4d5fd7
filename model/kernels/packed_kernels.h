#pragma once

#include <cstddef>
#include <cstdint>

// The inner loops of PackedMatrix.
namespace ltz::packed {

// Neighbouring rows of the matrix that are read together.
constexpr int kPanel = 16;
// A matrix of no more centroids may stay codes.
constexpr std::size_t kMostCentroids = 16;

// Panels whose weights are codes of four bits. A byte has those of two neighbouring columns, the
// first one in its lower half.
struct Codes {
  const std::uint8_t* codes;  // (columns / kPanel, ceil(depth / 2), kPanel), or null
  const float* centroids;     // (kMostCentroids)
  const float* scales;        // (columns / kPanel, kPanel)
};

// Some rows of x times some panels: y = finish(x panels + bias).
struct Product {
  const float* x;  // (rows, depth)
  std::ptrdiff_t x_stride;
  const float* panels;  // (columns / kPanel, depth, kPanel), or null
  Codes codes;          // if so
  std::ptrdiff_t depth;
  float* y;  // (rows, columns)
  std::ptrdiff_t y_stride;
  const float* bias;  // (columns), or null
  bool relu;
  int rows;
  int columns;
};

// Computes y. Each result is a sum in the order of the columns, whatever the number of rows.
void multiply(const Product& product);

// Whether this processor looks weights up faster than it reads them. Products of codes must not be
// asked for where it does not.
bool can_look_up();

}  // namespace ltz::packed
