#include "formats/hdf5/lzf.h"

#include <catch2/catch.hpp>
#include <string>
#include <string_view>

#include "model/base/error.h"

namespace ltz::formats {
namespace {

std::string decoded(std::string_view bytes) {
  const auto out = decode_lzf(std::as_bytes(std::span(bytes)));
  return {reinterpret_cast<const char*>(out.data()), out.size()};
}

using namespace std::string_literals;

}  // namespace

TEST_CASE("lzf: literals and references") {
  CHECK(decoded("").empty());
  CHECK(decoded("\2abc") == "abc");
  // Three bytes from three before, then four from one before: they repeat themselves.
  CHECK(decoded("\2abc\x20\2\x40\0"s) == "abcabccccc");
  // Nine bytes and eleven more.
  CHECK(decoded("\0x\xE0\x0B\0"s) == std::string(21, 'x'));
  // From 300 before.
  std::string far;
  for (char letter = 'a'; letter < 'a' + 10; ++letter) {
    far += "\x1D" + std::string(30, letter);
  }
  CHECK(decoded(far + "\x21\x2B").substr(300) == "aaa");
}

TEST_CASE("lzf: what is not there is refused") {
  CHECK_THROWS_AS(decoded("\2ab"), FormatError);
  CHECK_THROWS_AS(decoded("\2abc\x20"), FormatError);
  CHECK_THROWS_AS(decoded("\2abc\x20\3"), FormatError);
  CHECK_THROWS_AS(decoded("\2abc\xE0"), FormatError);
}

}  // namespace ltz::formats
