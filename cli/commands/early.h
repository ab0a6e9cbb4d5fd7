#pragma once

namespace ltz::cli {

// What early.cpp does before any library is ready: it refuses processors that are too old, with
// exit code 3 and a message, and ignores SIGINT, which OpenBLAS raises where it cannot start the
// threads that ltz does not use. This is called when they are ready: SIGINT does again what it did.
void restore_interrupts();

}  // namespace ltz::cli
