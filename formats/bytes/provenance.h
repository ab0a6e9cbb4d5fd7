#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ltz::formats {

// What made a file, as names and values in the order in which they are shown. LTZ.md and
// HDF5.md describe it.
using Provenance = std::vector<std::pair<std::string, std::string>>;

// One JSON object.
std::string provenance_text(const Provenance& provenance);

// The inverse. Throws FormatError for anything but an object of strings.
Provenance provenance_from_text(std::string_view text);

}  // namespace ltz::formats
