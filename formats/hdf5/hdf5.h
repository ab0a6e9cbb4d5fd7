#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "formats/bytes/provenance.h"
#include "model/checkpoint/checkpoint.h"

namespace ltz::formats {

// The toolchain's open working file: what prune and quantize write and h5dump or h5py show.
// HDF5.md, beside this file, is the layout.

// made: what made it; none, and the file does not say so. The same gives the same bytes. Throws
// ConfigError for a checkpoint that validate() refuses, FormatError for a tensor or a word that
// cannot be stored exactly.
std::vector<std::byte> encode_hdf5(const Checkpoint& checkpoint, const Provenance& made = {});
void write_hdf5(const Checkpoint& checkpoint, const std::filesystem::path& path);

// All that a file says.
struct Hdf5File {
  Checkpoint checkpoint;
  Provenance made;  // empty where the file does not say
};

// name: of the file, for messages. Throws FormatError, ConfigError when tensors or vocabularies do
// not fit the configuration, or IoError when another layout than what is written is to be read and
// there cannot be a process for it.
Hdf5File read_hdf5(std::span<const std::byte> bytes, const std::string& name);
// The checkpoint alone.
Checkpoint decode_hdf5(std::span<const std::byte> bytes, const std::string& name);
// Refuses other layouts.
Hdf5File read_plain_hdf5(std::span<const std::byte> bytes, const std::string& name);

// Whether HDF5's signature is there, in front or behind a user block.
bool is_hdf5(std::span<const std::byte> bytes);

}  // namespace ltz::formats
