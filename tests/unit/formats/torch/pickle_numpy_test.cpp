#include "formats/torch/pickle_numpy.h"

#include <catch2/catch.hpp>
#include <string>

#include "tests/support/pickle_builder.h"

using namespace ltz;
using namespace ltz::formats;
using namespace ltz::test;
using namespace std::string_literals;

namespace {

// np.dtype(name), as its __reduce__ has it.
std::string dtype(const std::string& name, const std::string& order = "<") {
  return pickled_global("numpy", "dtype") + pickled_tuple({pickled(name), "\x89", "\x88"}) + "R" +
         pickled_tuple({pickled(3), pickled(order), "N", "N", "N"}) + "b";
}

std::string bytes(const std::string& content) {
  return "C" + unsigned_bytes(content.size(), 1) + content;
}

// As protocol 2 writes bytes.
std::string encoded(const std::string& utf8) {
  return pickled_global("_codecs", "encode") + pickled_tuple({pickled(utf8), pickled("latin1")}) +
         "R";
}

std::string scalar(const std::string& type, const std::string& content,
                   const std::string& module = "numpy.core.multiarray") {
  return pickled_global(module, "scalar") + pickled_tuple({type, content}) + "R";
}

std::optional<nlohmann::json> number(const std::string& value) {
  const std::string text = pickle_of(value);
  const Pickle pickle = read_pickle(std::as_bytes(std::span(text)));
  return numpy_number(pickle.root());
}

}  // namespace

TEST_CASE("numbers of NumPy are numbers") {
  CHECK(number(scalar(dtype("i8"), bytes("\x08\0\0\0\0\0\0\0"s))) == 8);
  CHECK(number(scalar(dtype("i8"), encoded("\xc3\xbe\xc3\xbf\xc3\xbf\xc3\xbf"
                                           "\xc3\xbf\xc3\xbf\xc3\xbf\xc3\xbf"))) == -2);
  CHECK(number(scalar(dtype("i4"), bytes("\xff\xff\xff\xff"), "numpy._core.multiarray")) == -1);
  CHECK(number(scalar(dtype("i2", ">"), bytes("\1\2"))) == 258);
  CHECK(number(scalar(dtype("u1", "|"), bytes("\xff"))) == 255);
  CHECK(number(scalar(dtype("u8"), bytes(std::string(8, '\xff')))) == 0x1p64);
  CHECK(number(scalar(dtype("b1", "|"), bytes("\1"))) == true);
  CHECK(number(scalar(dtype("f8"), bytes("\0\0\0\0\0\0\xf8\x3f"s))) == 1.5);
  CHECK(number(scalar(dtype("f4"), bytes("\0\0\0\x3f"s))) == 0.5);
  CHECK(number(scalar(dtype("f2"), bytes("\0\x3c"s))) == 1.0);
  const std::string array =
      pickled_global("numpy.core.multiarray", "_reconstruct") +
      pickled_tuple({pickled_global("numpy", "ndarray"), pickled_tuple({pickled(0)}), "C\1b"}) +
      "R" + pickled_tuple({pickled(1), ")", dtype("i2"), "\x89", bytes("\4\0"s)}) + "b";
  CHECK(number(array) == 4);
}

TEST_CASE("other values of NumPy are no numbers") {
  CHECK_FALSE(number(scalar(dtype("U1"), bytes("a\0\0\0"s))));
  CHECK_FALSE(number(scalar(dtype("i8"), bytes("\1"))));
  CHECK_FALSE(number(scalar(dtype("f1"), bytes("\1"))));
  CHECK_FALSE(number(scalar(dtype("i9"), bytes("123456789"))));
  CHECK_FALSE(number(scalar("N", bytes("\1"))));
  CHECK_FALSE(number(scalar(dtype("i1"), "K\1")));
  CHECK_FALSE(number(scalar(dtype("i1"), encoded("\xc4\x80"))));
  CHECK_FALSE(number(pickled_global("numpy.core.multiarray", "scalar") + ")R"));
  CHECK_FALSE(number(pickled(8)));
}
