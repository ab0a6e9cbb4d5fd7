#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace ltz::formats {

// The objects of HDF5.md in the layout and the types of HDF5.md, out of a file that has them in any
// other that the HDF5 library reads. What is missing stays missing, and what only a checkpoint
// could tell (shapes, words, codes) stays unchecked: Hdf5Image reads the copy.
// For a ChildProcess alone: the library trusts the file. max_size: of the copy, in bytes.
// Throws FormatError.
std::vector<std::byte> plain_copy_of_hdf5(std::span<const std::byte> bytes, std::size_t max_size);

}  // namespace ltz::formats
