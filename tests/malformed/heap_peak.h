#pragma once

#include <cstdint>

namespace ltz::test {

// The most memory that the program held at once since this was made, beyond what it held then.
// Everything from the heap counts, in all threads: also what libzip and HDF5 allocate.
class HeapPeak {
 public:
  HeapPeak();
  std::int64_t bytes() const;

 private:
  std::int64_t before_;
};

}  // namespace ltz::test
