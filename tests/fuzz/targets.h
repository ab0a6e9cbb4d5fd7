#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace ltz::test {

// A decoder that reads bytes of strangers. It may refuse them with an ltz::Error and nothing else.
struct FuzzTarget {
  std::string_view name;
  void (*read)(std::span<const std::byte>);
  // Inputs for a fuzzer to begin with, most of them good.
  std::vector<std::vector<std::byte>> (*seeds)();
};

std::span<const FuzzTarget> fuzz_targets();

// Throws ConfigError for a name that none of them has.
const FuzzTarget& fuzz_target(std::string_view name);

// Reads it. Anything that is thrown but an ltz::Error comes out.
void fuzz_one(const FuzzTarget& target, std::span<const std::byte> bytes);

}  // namespace ltz::test
