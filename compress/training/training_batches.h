#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "compress/calibration/calibration.h"

namespace ltz::compress {

// The sentences of one epoch in a random order, cut into batches of at most so many target tokens,
// or of one sentence that has more. The same for the same seed and epoch on every machine.
std::vector<std::vector<std::size_t>> training_batches(const EncodedText& text, std::size_t tokens,
                                                       std::uint64_t seed, std::int64_t epoch);

// A batch in parts of about as many tokens each, some of which may be empty. Their gradients are
// added up in this order, so that the sum does not depend on the threads.
inline constexpr std::size_t kShards = 4;
std::array<std::vector<std::size_t>, kShards> shards_of(const EncodedText& text,
                                                        std::vector<std::size_t> batch);

}  // namespace ltz::compress
