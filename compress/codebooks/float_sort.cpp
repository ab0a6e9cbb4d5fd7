#include "compress/codebooks/float_sort.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <utility>

namespace ltz::compress {
namespace {

// Three digits of a key. The counters of a digit fit into the first-level cache.
constexpr int kDigitBits = 11;
constexpr int kDigits = 3;
constexpr std::size_t kBins = std::size_t{1} << kDigitBits;

// Below this the passes over all bins cost more than comparisons.
constexpr std::size_t kFewest = 1024;

constexpr std::uint32_t kSign = 0x80000000U;

// Unsigned integers that ascend with the floats: the patterns of negative floats descend, so all of
// their bits are flipped, of the others only the sign.
std::uint32_t key_of(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return bits ^ ((bits & kSign) != 0 ? ~0U : kSign);
}

float value_of(std::uint32_t key) {
  return std::bit_cast<float>(key ^ ((key & kSign) != 0 ? kSign : ~0U));
}

std::size_t digit(std::uint32_t key, int place) {
  return (key >> (place * kDigitBits)) & (kBins - 1);
}

using Places = std::array<std::size_t, kBins>;  // where the next value of each bin goes

std::array<Places, kDigits> first_places(const std::vector<float>& values) {
  std::array<Places, kDigits> places{};
  for (const float value : values) {
    const std::uint32_t key = key_of(value);
    for (int place = 0; place < kDigits; ++place) {
      ++places[place][digit(key, place)];
    }
  }
  for (Places& of_digit : places) {
    std::size_t begin = 0;
    for (std::size_t& bin : of_digit) {
      begin += std::exchange(bin, begin);
    }
  }
  return places;
}

}  // namespace

void sort_floats(std::vector<float>& values) {
  if (values.size() < kFewest) {
    std::ranges::sort(values, {}, key_of);
    return;
  }
  // Stable by one digit after the other, the least significant one first.
  std::array<Places, kDigits> places = first_places(values);
  std::vector<std::uint32_t> by_first(values.size());
  for (const float value : values) {
    const std::uint32_t key = key_of(value);
    by_first[places[0][digit(key, 0)]++] = key;
  }
  std::vector<std::uint32_t> by_second(values.size());
  for (const std::uint32_t key : by_first) {
    by_second[places[1][digit(key, 1)]++] = key;
  }
  for (const std::uint32_t key : by_second) {
    values[places[2][digit(key, 2)]++] = value_of(key);
  }
}

}  // namespace ltz::compress
