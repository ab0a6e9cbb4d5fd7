#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "model/checkpoint/tensor.h"

namespace ltz::formats {

// What the header says about one tensor. begin and end count from the end of the header.
struct SafetensorsEntry {
  std::string dtype;
  Shape shape;
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

struct SafetensorsHeader {
  std::map<std::string, std::string> metadata;
  std::map<std::string, SafetensorsEntry> tensors;
};

// text: the header as it is in the file. Throws FormatError, naming the tensor, for what is not
// JSON of exactly this form; the entries are not yet compared with anything.
SafetensorsHeader parse_safetensors_header(std::string_view text);
// As it is in a file, with spaces at its end so that the data begin at a multiple of 8. Throws
// FormatError when it is longer than a header may be.
std::string safetensors_header_text(const SafetensorsHeader& header);

}  // namespace ltz::formats
