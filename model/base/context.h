#pragma once

#include <string>
#include <utility>

#include "model/base/error.h"

namespace ltz {

// Calls `function`; what it throws gets "context: " in front, its type stays. This is how an error
// from inside a parser learns the name of the tensor, and then of the file.
template <typename Function>
decltype(auto) in_context(const std::string& context, Function&& function) {
  try {
    return std::forward<Function>(function)();
  } catch (const FormatError& error) {
    throw FormatError(context + ": " + error.what());
  } catch (const ConfigError& error) {
    throw ConfigError(context + ": " + error.what());
  } catch (const IoError& error) {
    throw IoError(context + ": " + error.what());
  }
}

}  // namespace ltz
