#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "formats/ltz/payload.h"
#include "model/checkpoint/checkpoint.h"

namespace ltz::formats {

// One line of the tensor index: what is where and how to read it.
struct IndexEntry {
  std::string name;
  Shape shape;
  PayloadKind kind = PayloadKind::kFloat32;
  bool table = false;  // the payload is in EMBD, else in DATA
  std::uint64_t length = 0;
};

// LTZ.md, "Tensor index". entries: in ascending order of their names.
std::vector<std::byte> encode_index(const std::vector<IndexEntry>& entries);

// Throws FormatError, also for names that appear twice or out of order and for more elements
// than max_elements in all.
std::vector<IndexEntry> decode_index(std::span<const std::byte> bytes, std::int64_t max_elements);

// The tensors whose payloads belong into EMBD: those with the role kTable.
std::set<std::string> embedding_names(const ModelConfig& config);

// Elements that a file of so many bytes may have. Codes that are all equal cost nothing, so that
// the bytes present bound nothing; this lets pass any real model (2^27 elements are three
// Transformer base) and keeps a small hostile file from asking for the whole memory.
std::int64_t max_elements(std::size_t file_size);

// Throws FormatError for more elements than that.
void check_elements(const std::vector<IndexEntry>& entries, std::int64_t max_elements);

}  // namespace ltz::formats
