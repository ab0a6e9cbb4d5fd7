#pragma once

#include "cli/pipeline/events.h"

namespace ltz::cli {

// Messages as lines and progress as bars, on standard error.
const pipeline::Events& terminal_events();

}  // namespace ltz::cli
