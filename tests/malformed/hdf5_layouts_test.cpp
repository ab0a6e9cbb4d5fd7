// .h5 files in layouts that only the HDF5 library reads, damaged at random: the process that reads
// them may end in any way, this one must get a checkpoint or an error. LTZ_DAMAGES says how many.

#include <catch2/catch.hpp>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <map>
#include <random>
#include <string>

#include "formats/hdf5/hdf5.h"
#include "malformed.h"
#include "model/base/error.h"
#include "tests/support/hdf5_layouts.h"
#include "tests/support/tiny_checkpoint.h"

using namespace ltz;
using namespace ltz::test;

namespace {

using Clock = std::chrono::steady_clock;

// One to eight places get another byte or another number, or a piece is moved or missing.
void damage(Bytes& bytes, std::mt19937& random) {
  const auto below = [&](std::size_t limit) { return random() % limit; };
  for (std::size_t i = 0; i < 1 + below(8); ++i) {
    const std::size_t at = below(bytes.size() - 8);
    switch (below(5)) {
      case 0:
        bytes[at] ^= static_cast<std::byte>(1U << below(8));
        break;
      case 1:
        bytes[at] = static_cast<std::byte>(below(256));
        break;
      case 2:
        std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), 1 + below(8), std::byte{255});
        break;
      case 3:
        std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(below(bytes.size() - 8)), 8,
                    bytes.begin() + static_cast<std::ptrdiff_t>(at));
        break;
      default:
        // Most of the structure is in front.
        bytes[below(std::min<std::size_t>(bytes.size(), 2048))] =
            static_cast<std::byte>(below(256));
    }
  }
}

}  // namespace

TEST_CASE("malformed hdf5: other layouts, damaged at random") {
  const char* number = std::getenv("LTZ_DAMAGES");
  const int damages = number == nullptr ? 20 : std::atoi(number);
  std::mt19937 random(1);
  std::map<std::string, int> endings;
  for (const Hdf5Layout& layout : hdf5_layouts()) {
    const Bytes good = hdf5_in_layout(tiny_quantized_checkpoint(1), layout);
    for (int i = 0; i < damages; ++i) {
      CAPTURE(layout.name, i);
      Bytes bytes = good;
      damage(bytes, random);
      const auto start = Clock::now();
      const std::string message = refusal(bytes, read_h5_file).message;
      CHECK(Clock::now() - start < std::chrono::seconds(5));
      const auto process = message.find("the process that reads it");
      ++endings[process != std::string::npos ? message.substr(process)
                : message == "accepted"      ? message
                                             : "refused"];
    }
  }
  if (number != nullptr) {
    for (const auto& [ending, times] : endings) {
      std::cout << times << " " << ending << "\n";
    }
  }
}
