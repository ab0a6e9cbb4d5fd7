#pragma once

#include <string>

#include "formats/ltz/provenance.h"

namespace ltz::pipeline {

// Of ltz: "0.1.0".
std::string version();

// What a .ltz says of the command that made it, to begin with.
formats::Provenance made_by(const std::string& command);

}  // namespace ltz::pipeline
