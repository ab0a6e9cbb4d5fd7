#include "cli/pipeline/quality_cache.h"

#include <catch2/catch.hpp>
#include <span>
#include <string_view>

#include "formats/files/file.h"
#include "model/base/error.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/tiny_checkpoint.h"

using namespace ltz;
using namespace ltz::pipeline;

TEST_CASE("what is known of a model and a text is not measured again, by the next run neither") {
  const test::TemporaryFolder folder;
  const std::string path = folder.file("state").string();
  const Checkpoint checkpoint = tiny_checkpoint(1);
  const Checkpoint other = tiny_checkpoint(2);
  const eval::ParallelText text = {{"a b", "c"}, {"a", "b c"}};
  const eval::EvaluationOptions options{.beam = {.max_len_b = 3}};
  int measured = 0;
  const Events events{.begin = [&](const std::string&) {
    ++measured;
    return Progress();
  }};
  const QualityQuestion question{checkpoint, text, options};
  Quality first;
  {
    QualityCache cache(path);
    first = cache.measure(question, events, "");
    CHECK(first.bleu.size() == 2);
    CHECK_FALSE(first.nll);
    CHECK(measured == 1);
  }
  QualityCache cache(path);
  CHECK(cache.measure(question, events, "").bleu.size() == 2);
  CHECK(measured == 1);
  // NLL is read where it is asked for, without another translation.
  CHECK(cache.measure({checkpoint, text, options, true}, events, "").nll);
  CHECK(measured == 1);
  // Another model, text or beam is something else.
  cache.measure({other, text, options}, events, "");
  cache.measure({checkpoint, {{"a"}, {"b"}}, options}, events, "");
  cache.measure({checkpoint, text, {.beam = {.beam = 2, .max_len_b = 3}}}, events, "");
  CHECK(measured == 4);
}

TEST_CASE("another kind of file is no state, and is not replaced") {
  const test::TemporaryFolder folder;
  const std::string path = folder.file("state").string();
  for (const std::string_view text :
       {"a text", "{\"measured\": {}}", "{\"qualities\": {\"a\": 1}}"}) {
    formats::write_file_atomically(path, std::as_bytes(std::span(text)));
    CHECK_THROWS_WITH(QualityCache(path), Catch::Contains("state: expected what `verify`"));
  }
}
