#include "formats/bytes/base64.h"

#include <catch2/catch.hpp>
#include <string>

#include "model/base/error.h"

using namespace ltz;
using namespace ltz::formats;

TEST_CASE("bytes come back from base64") {
  // RFC 4648, section 10.
  CHECK(base64("").empty());
  CHECK(base64("f") == "Zg==");
  CHECK(base64("fo") == "Zm8=");
  CHECK(base64("foo") == "Zm9v");
  CHECK(base64("foob") == "Zm9vYg==");
  std::string bytes;
  for (int i = 0; i < 256; ++i) {
    bytes += static_cast<char>(i);
    CHECK(from_base64(base64(bytes)) == bytes);
  }
}

TEST_CASE("base64 of another form is refused") {
  for (const char* text : {"Z", "Zg", "Zg=", "Zg===", "Zh==", "Zm9v\n", "Zm9-", "=", "Zg==Zg=="}) {
    CAPTURE(text);
    CHECK_THROWS_AS(from_base64(text), FormatError);
  }
}
