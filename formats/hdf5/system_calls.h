#pragma once

namespace ltz::formats {

// From now on the kernel refuses this process (EPERM) all but what computing takes: memory, locks
// and the clock, writing to descriptors that are open, signals to itself, and the end. Returns
// whether it does; where it cannot, nothing has changed.
bool allow_only_computing();

}  // namespace ltz::formats
