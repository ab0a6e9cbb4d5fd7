#include "tests/support/hdf5_layouts.h"

#include <hdf5.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "formats/hdf5/hdf5.h"
#include "model/base/error.h"
#include "tests/support/check_checkpoint.h"
#include "tests/support/tiny_checkpoint.h"

namespace ltz::formats {

TEST_CASE("hdf5: what the library writes in other layouts is read") {
  for (const test::Hdf5Layout& layout : test::hdf5_layouts()) {
    CAPTURE(layout.name);
    for (const Checkpoint& checkpoint : {tiny_checkpoint(1), tiny_quantized_checkpoint(1)}) {
      const auto bytes = test::hdf5_in_layout(checkpoint, layout);
      CHECK(is_hdf5(bytes));
      CHECK_THROWS_AS(read_plain_hdf5(bytes, "m.h5"), FormatError);
      test::check_equal(read_hdf5(bytes, "m.h5"), checkpoint);
    }
  }
}

TEST_CASE("hdf5: other layouts are read by several threads while others write") {
  const Checkpoint checkpoint = tiny_quantized_checkpoint(1);
  const auto bytes = test::hdf5_in_layout(checkpoint, test::hdf5_layouts().back());
  const auto plain = encode_hdf5(checkpoint);
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int n = 0; n < 5; ++n) {
        right += i % 2 == 0 ? encode_hdf5(checkpoint) == plain
                            : read_hdf5(bytes, "m.h5").tensors == checkpoint.tensors;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  CHECK(right == 20);
}

}  // namespace ltz::formats
