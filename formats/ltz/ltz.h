#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "formats/bytes/provenance.h"
#include "model/checkpoint/checkpoint.h"

namespace ltz::formats {

// The compact file that goes onto the phone: weights, vocabularies, merges and configuration.
// LTZ.md, beside this file, is its specification.

// made: what made it; none, and the file does not say so. The same checkpoint gives the same bytes,
// whatever the number of threads. Nothing is lost, so that whoever has the checkpoint need not
// decode the file. Throws ConfigError for a checkpoint
// that validate() refuses, FormatError for a tensor that cannot be stored exactly.
std::vector<std::byte> encode_ltz(const Checkpoint& checkpoint, const Provenance& made = {});

// Whether the first bytes say so; the rest may still be damaged.
bool is_ltz(std::span<const std::byte> bytes);

// Where the bytes of a file go. total = embedding + vocabulary + model.
struct LtzSizes {
  std::int64_t total = 0;
  std::int64_t embedding = 0;   // payloads of embedding tables: section EMBD
  std::int64_t vocabulary = 0;  // words and what segments: VSRC, VTGT, BPEM, SPMD
  std::int64_t model = 0;       // all the rest, header and tables included

  bool operator==(const LtzSizes&) const = default;
};

// Reads only the header, which is verified, not the contents of the sections. Throws FormatError.
LtzSizes ltz_sizes(std::span<const std::byte> bytes);

// All that a file says.
struct LtzFile {
  Checkpoint checkpoint;  // exactly the one that was encoded
  LtzSizes sizes;
  // Bytes of each tensor's payload, codebook and frequency table included.
  std::map<std::string, std::int64_t> tensor_bytes;
  Provenance made;  // empty where the file does not say
};

// name: of the file, for messages. Throws FormatError, or ConfigError when tensors or vocabularies
// do not fit the configuration.
LtzFile read_ltz(std::span<const std::byte> bytes, const std::string& name);

// The checkpoint alone. Throws as read_ltz() does.
Checkpoint decode_ltz(std::span<const std::byte> bytes, const std::string& name);

}  // namespace ltz::formats
