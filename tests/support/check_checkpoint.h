#pragma once

#include <catch2/catch.hpp>

#include "model/checkpoint/checkpoint.h"

namespace ltz::test {

inline void check_equal(const Checkpoint& found, const Checkpoint& expected) {
  CHECK(found.config == expected.config);
  CHECK(found.source_vocabulary == expected.source_vocabulary);
  CHECK(found.target_vocabulary == expected.target_vocabulary);
  CHECK(found.merges == expected.merges);
  CHECK(found.sentencepiece == expected.sentencepiece);
  CHECK(found.tensors == expected.tensors);
}

}  // namespace ltz::test
