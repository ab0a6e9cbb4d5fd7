#pragma once

#include <string>

#include "formats/bytes/provenance.h"

namespace ltz::pipeline {

// Of ltz: "0.1.0".
std::string version();

// What a file of this program says of what made it, to begin with.
formats::Provenance made_by_ltz();

}  // namespace ltz::pipeline
