// corruption FILE COUNT: damages the .ltz COUNT times in memory, each time in another way at
// another place (one bit, a few bits, a burst of other bytes, a run of zeros, bytes that are
// missing, bytes too many), and reads it. Prints how many were read as if nothing had happened;
// exit code 1 if there was any. The same COUNT tries the same damages.

#include <algorithm>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "formats/files/file.h"
#include "formats/ltz/ltz.h"
#include "model/base/error.h"
#include "model/base/parallel.h"

namespace {

using Bytes = std::vector<std::byte>;

constexpr std::size_t kLongestBurst = 4096;

std::size_t below(std::size_t bound, std::mt19937_64& random) {
  return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random);
}

void flip(Bytes& bytes, std::mt19937_64& random) {
  const std::size_t bit = below(8 * bytes.size(), random);
  bytes[bit / 8] ^= std::byte{1} << (bit % 8);
}

void damage(Bytes& bytes, std::mt19937_64& random) {
  const std::size_t place = below(bytes.size(), random);
  const std::size_t length = 1 + below(std::min(kLongestBurst, bytes.size() - place), random);
  const auto first = bytes.begin() + static_cast<std::ptrdiff_t>(place);
  const auto last = first + static_cast<std::ptrdiff_t>(length);
  switch (below(6, random)) {
    case 0:
      flip(bytes, random);
      break;
    case 1:
      for (std::size_t flips = 2 + below(7, random); flips > 0; --flips) {
        flip(bytes, random);
      }
      break;
    case 2:
      std::generate(first, last, [&] { return static_cast<std::byte>(random()); });
      break;
    case 3:
      std::fill(first, last, std::byte{0});
      break;
    case 4:
      bytes.erase(first, last);
      break;
    default:
      bytes.insert(first, length, static_cast<std::byte>(random()));
  }
}

bool is_read(const Bytes& bytes) {
  try {
    ltz::formats::decode_ltz(bytes, "damaged");
    return true;
  } catch (const ltz::FormatError&) {
    return false;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: corruption FILE COUNT\n");
    return 2;
  }
  const Bytes whole = ltz::formats::read_file(argv[1]);
  const std::size_t count = std::stoul(argv[2]);
  std::vector<char> accepted(count);
  ltz::parallel_for(count, [&](std::size_t i) {
    std::mt19937_64 random(i);
    Bytes bytes;
    do {
      bytes = whole;
      damage(bytes, random);
    } while (bytes == whole);
    accepted[i] = is_read(bytes) ? 1 : 0;
  });
  const auto read = std::ranges::count(accepted, 1);
  std::printf("%zu damages of a file of %zu bytes: %td accepted\n", count, whole.size(), read);
  return read == 0 ? 0 : 1;
}
