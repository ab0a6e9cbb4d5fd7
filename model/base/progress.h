#pragma once

#include <cstddef>
#include <functional>

namespace ltz {

// Told how much of a piece of work is done, from one thread at a time. May be empty where it is an
// argument.
using Progress = std::function<void(std::size_t done, std::size_t total)>;

}  // namespace ltz
