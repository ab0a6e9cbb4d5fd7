#include "formats/ltz/provenance.h"

#include <catch2/catch.hpp>

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

TEST_CASE("provenance is an object of strings") {
  CHECK(provenance_from_text("{}").empty());
  for (const char* text : {"", "[]", "{", "{\"a\": 1}", "{\"a\": {}}", "\"a\"", "{\"a\": null}"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(provenance_from_text(text), FormatError);
  }
}

}  // namespace ltz::formats
