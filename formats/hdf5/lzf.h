#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace ltz::formats {

// What LibLZF's "lzf_compress" made shorter, as h5py's compression="lzf" uses it: runs of literals,
// and references to what was up to 8192 bytes before. Throws FormatError; the result has at most 88
// times as many bytes.
std::vector<std::byte> decode_lzf(std::span<const std::byte> bytes);

// Makes it known to the HDF5 library as filter 32000.
void register_lzf_with_hdf5();

}  // namespace ltz::formats
