#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/checkpoint/tensor.h"

namespace ltz::formats {

// The container of huggingface/safetensors: a JSON header, then the tensors' bytes. SAFETENSORS.md,
// beside this file, has the rules.

inline constexpr std::size_t kSafetensorsLengthBytes = 8;  // the header's length stands in front
inline constexpr std::size_t kSafetensorsMaxHeader = 100'000'000;
inline constexpr const char* kSafetensorsMetadata = "__metadata__";

// Bits per element of a type of the published list, such as "BF16"; nothing for other names.
std::optional<std::int64_t> safetensors_bits(std::string_view dtype);

// One tensor: row-major, little-endian, as many bytes as shape and dtype ask for.
struct SafetensorsView {
  std::string dtype;
  Shape shape;
  std::span<const std::byte> bytes;
};

// The views point into the bytes that were parsed.
struct SafetensorsFile {
  std::map<std::string, std::string> metadata;
  std::map<std::string, SafetensorsView> tensors;
};

// Whether it begins as such a file does: a length of less than 2^32, then "{".
bool is_safetensors(std::span<const std::byte> bytes);

// Checks every rule of the format. Copies only the header, whose parts take no more than a few
// times its bytes. Throws FormatError, which names the tensor but not the file.
SafetensorsFile parse_safetensors(std::span<const std::byte> bytes);

// The file that has these tensors, wide elements first, by name. Throws FormatError when its header
// is longer than one may be.
std::vector<std::byte> encode_safetensors(const SafetensorsFile& file);

}  // namespace ltz::formats
