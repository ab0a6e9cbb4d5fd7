#include "formats/bytes/provenance.h"

#include <catch2/catch.hpp>

#include "formats/hdf5/hdf5.h"
#include "formats/ltz/ltz.h"
#include "formats/records/size_fit.h"
#include "model/base/error.h"
#include "tests/support/tiny_checkpoint.h"

namespace ltz::formats {

TEST_CASE("a file says what made it, in that order, and is the same model without") {
  const Checkpoint checkpoint = tiny_checkpoint(1);
  const Provenance made = {
      {"z", "first"}, {"a", "two\nlines, \"quoted\", \xC3\xA9"}, {"empty", ""}};
  const auto with = encode_ltz(checkpoint, made);
  const auto without = encode_ltz(checkpoint);
  CHECK(read_ltz(with, "m.ltz").made == made);
  CHECK(read_ltz(without, "m.ltz").made.empty());
  CHECK(decode_ltz(with, "m.ltz").tensors == decode_ltz(without, "m.ltz").tensors);
  // Its bytes are the model's, and foreseen exactly.
  const auto more = static_cast<std::int64_t>(with.size() - without.size());
  CHECK(ltz_sizes(with).model - ltz_sizes(without).model == more);
  CHECK(FileForecast(checkpoint, made).sizes({}).model - FileForecast(checkpoint).sizes({}).model ==
        more);
}

TEST_CASE("an .h5 carries what made it on") {
  const Checkpoint checkpoint = tiny_checkpoint(1);
  const Provenance made = {{"ltz", "1"}, {"recipe", "preset = \"max\"\n"}};
  CHECK(read_hdf5(encode_hdf5(checkpoint, made), "m.h5").made == made);
  CHECK(read_hdf5(encode_hdf5(checkpoint), "m.h5").made.empty());
}

TEST_CASE("provenance is an object of strings") {
  CHECK(provenance_from_text("{}").empty());
  for (const char* text : {"", "[]", "{", "{\"a\": 1}", "{\"a\": {}}", "\"a\"", "{\"a\": null}"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(provenance_from_text(text), FormatError);
  }
}

}  // namespace ltz::formats
