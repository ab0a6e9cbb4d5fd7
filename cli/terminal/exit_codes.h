#pragma once

// What scripts learn of a run.
namespace ltz::cli {

inline constexpr int kDone = 0;  // or: all gates passed
inline constexpr int kGateFailed = 1;
inline constexpr int kUsage = 2;
inline constexpr int kBadInput = 3;  // or an error of the system

}  // namespace ltz::cli
