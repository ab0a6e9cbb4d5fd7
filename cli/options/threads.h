#pragma once

#include <CLI/CLI.hpp>

namespace ltz::cli {

// --threads; `threads` is what OMP_NUM_THREADS says, or all processors, unless it is given.
void add_threads(CLI::App& command, int& threads);

// Makes this the number of threads, or a smaller one and says so, where the system does not allow
// as many (ulimit, containers, memory for their stacks). No result depends on it.
void use_threads(int threads);

}  // namespace ltz::cli
