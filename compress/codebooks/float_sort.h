#pragma once

#include <vector>

namespace ltz::compress {

// Sorts in ascending order, -0 before +0. A radix sort: about five times as fast as std::sort on
// the hundred thousands to millions of weights of a tensor; takes 8 bytes per value meanwhile.
// values: (n), without NaN.
void sort_floats(std::vector<float>& values);

}  // namespace ltz::compress
