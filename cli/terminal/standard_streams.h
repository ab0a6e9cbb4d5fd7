#pragma once

#include <string_view>

namespace ltz::cli {

// Descriptors 0 to 2 that the program was started without would become those of the first files
// that it opens: a message would end up in a model. They are taken, so that reading and writing
// them fails as if they were closed. To be called before anything is opened.
void take_standard_descriptors();

// Standard error may be closed, full, or a pipe that nobody reads: what cannot be written is lost,
// and the work goes on.
void write_to_stderr(std::string_view text) noexcept;

}  // namespace ltz::cli
