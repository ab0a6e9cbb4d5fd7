#include <algorithm>
#include <array>
#include <bit>

#include "formats/bytes/bytes.h"
#include "formats/bytes/checked.h"
#include "formats/hdf5/object.h"

namespace ltz::formats {
namespace {

struct Lookup3 {
  std::uint32_t a, b, c;

  // Twelve bytes.
  void add(const std::byte* block) {
    a += get_integer<std::uint32_t>(block);
    b += get_integer<std::uint32_t>(block + 4);
    c += get_integer<std::uint32_t>(block + 8);
  }

  void mix() {
    const auto round = [](std::uint32_t& x, std::uint32_t& y, std::uint32_t z, int rotation) {
      x -= y;
      x ^= std::rotl(y, rotation);
      y += z;
    };
    round(a, c, b, 4);
    round(b, a, c, 6);
    round(c, b, a, 8);
    round(a, c, b, 16);
    round(b, a, c, 19);
    round(c, b, a, 4);
  }

  void finish() {
    const auto round = [](std::uint32_t& x, std::uint32_t y, int rotation) {
      x ^= y;
      x -= std::rotl(y, rotation);
    };
    round(c, b, 14);
    round(a, c, 11);
    round(b, a, 25);
    round(c, b, 16);
    round(a, c, 4);
    round(b, a, 14);
    round(c, b, 24);
  }
};

}  // namespace

std::uint32_t lookup3(std::span<const std::byte> bytes) {
  const std::uint32_t start = 0xDEADBEEF + static_cast<std::uint32_t>(bytes.size());
  Lookup3 state{start, start, start};
  if (bytes.empty()) {
    return state.c;
  }
  constexpr std::size_t kBlock = 12;
  for (; bytes.size() > kBlock; bytes = bytes.subspan(kBlock)) {
    state.add(bytes.data());
    state.mix();
  }
  std::array<std::byte, kBlock> last{};
  std::ranges::copy(bytes, last.begin());
  state.add(last.data());
  state.finish();
  return state.c;
}

void check_hdf5_checksum(std::span<const std::byte> bytes, const std::string& what) {
  const auto content = bytes.first(bytes.size() - 4);
  const std::uint32_t found = lookup3(content);
  if (kChecksums && found != get_integer<std::uint32_t>(bytes.data() + content.size())) {
    throw FormatError(what + " is damaged: its checksum does not match");
  }
}

}  // namespace ltz::formats
