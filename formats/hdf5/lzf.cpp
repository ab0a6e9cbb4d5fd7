#include "formats/hdf5/lzf.h"

#include <hdf5.h>

#include <cstdlib>
#include <cstring>
#include <new>

#include "formats/bytes/bytes.h"
#include "formats/hdf5/handle.h"

namespace ltz::formats {
namespace {

// The library owns *buffer, from malloc(). (The filter's third value is not what it seems: the size
// of a chunk is another one for strings.)
std::size_t filter(unsigned flags, std::size_t, const unsigned*, std::size_t used,
                   std::size_t* buffer_size, void** buffer) {
  if ((flags & H5Z_FLAG_REVERSE) == 0) {
    return 0;
  }
  try {
    const auto decoded = decode_lzf({static_cast<const std::byte*>(*buffer), used});
    void* result = std::malloc(decoded.size());
    if (result == nullptr) {
      return 0;
    }
    std::memcpy(result, decoded.data(), decoded.size());
    std::free(*buffer);
    *buffer = result;
    *buffer_size = decoded.size();
    return decoded.size();
  } catch (const FormatError&) {
    return 0;
  } catch (const std::bad_alloc&) {
    return 0;
  }
}

}  // namespace

std::vector<std::byte> decode_lzf(std::span<const std::byte> bytes) {
  ByteReader reader(bytes, "LZF");
  std::vector<std::byte> out;
  while (reader.remaining() != 0) {
    constexpr unsigned kMaxLiterals = 32;
    constexpr unsigned kLong = 7;
    const unsigned first = reader.integer<std::uint8_t>();
    if (first < kMaxLiterals) {
      put_bytes(out, reader.take(first + 1));
      continue;
    }
    unsigned length = first >> 5;
    if (length == kLong) {
      length += reader.integer<std::uint8_t>();
    }
    const std::size_t back =
        ((first & 0x1FU) << 8) + reader.integer<std::uint8_t>() + std::size_t{1};
    if (back > out.size()) {
      reader.fail("a reference to what is not there");
    }
    // It may be longer than the way back: then it repeats itself.
    for (unsigned i = 0; i < length + 2; ++i) {
      out.push_back(out[out.size() - back]);
    }
  }
  return out;
}

void register_lzf_with_hdf5() {
  constexpr H5Z_filter_t kLzf = 32000;
  const H5Z_class2_t description{H5Z_CLASS_T_VERS, kLzf, 0, 1, "lzf", nullptr, nullptr, filter};
  checked(H5Zregister(&description), "LZF");
}

}  // namespace ltz::formats
