#pragma once

#include <string>

#include "model/error.h"

namespace ltz::compress {

// Runs `body`, prefixing the message of its ConfigError with the tensor's name.
template <typename Body>
auto naming(const std::string& name, const Body& body) {
  try {
    return body();
  } catch (const ConfigError& error) {
    throw ConfigError(name + ": " + error.what());
  }
}

}  // namespace ltz::compress
