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
namespace {

// All encodings.
Checkpoint checkpoint_of_all_kinds() {
  Checkpoint checkpoint = tiny_quantized_checkpoint(1);
  checkpoint.tensors.at("encoder.layers.0.fc1.bias") =
      dense_tensor({12}, std::vector<float>(12, -3.0f), Precision::kBFloat16);
  checkpoint.tensors.at("decoder.layers.0.self_attn.branches.1.weight").data =
      QuantizedValues{{-1.0f, 0.5f}, std::vector<std::uint8_t>(10, 1), {120, 136}};  // (2, 1, 5)
  return checkpoint;
}

}  // namespace

TEST_CASE("hdf5: what the library writes in other layouts is read") {
  for (const test::Hdf5Layout& layout : test::hdf5_layouts()) {
    CAPTURE(layout.name);
    for (const Checkpoint& checkpoint : {tiny_checkpoint(1), checkpoint_of_all_kinds()}) {
      const auto bytes = test::hdf5_in_layout(checkpoint, layout);
      CHECK(is_hdf5(bytes));
      CHECK_THROWS_AS(read_plain_hdf5(bytes, "m.h5"), FormatError);
      test::check_equal(decode_hdf5(bytes, "m.h5"), checkpoint);
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
                            : decode_hdf5(bytes, "m.h5").tensors == checkpoint.tensors;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  CHECK(right == 20);
}

}  // namespace ltz::formats
