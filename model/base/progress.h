#pragma once

#include <cstddef>
#include <functional>

namespace ltz {

// Told how much of the work is done: steps of the kind that the function with this parameter names.
// Called from one thread at a time. May be empty.
using Progress = std::function<void(std::size_t done, std::size_t total)>;

}  // namespace ltz
