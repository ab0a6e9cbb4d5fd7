#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

// The inner loops of Int8Matrix.
namespace ltz::int8 {

// Neighbouring rows of the matrix that are read together, and in them as many columns.
constexpr int kPanel = 16;
constexpr int kGroup = 4;

// Some rows of x times one or two panels. Sums are exact; the rest is computed in the same order
// everywhere:
//   y = finish(((sum of byte * weight) - zero * weight_sum) * step * weight_step + bias)
struct Tile {
  const std::uint8_t* x;  // (rows, at least groups * kGroup)
  std::ptrdiff_t x_stride;
  const float* scales;         // (rows, 2): step and zero of x
  const std::int8_t* weights;  // (panels, groups, kPanel, kGroup)
  std::ptrdiff_t groups;
  const float* weight_steps;        // (panels * kPanel)
  const std::int32_t* weight_sums;  // (panels * kPanel)
  const float* bias;                // (panels * kPanel)
  float* y;                         // (rows, panels * kPanel)
  std::ptrdiff_t y_stride;
  bool relu;
};

// One way to compute tiles.
struct Kernel {
  const char* name;  // of the instructions
  int rows;          // most of a tile
  using Function = void (*)(const Tile&);
  // (2, rows): element (p, r) is for p + 1 panels and r + 1 rows.
  std::vector<Function> tiles;

  Function tile(int panels, int wanted_rows) const {
    return tiles[static_cast<std::size_t>((panels - 1) * rows + wanted_rows - 1)];
  }
};

// The kernels that this processor can run, the best one first. All give the same results.
const std::vector<Kernel>& kernels();

}  // namespace ltz::int8
