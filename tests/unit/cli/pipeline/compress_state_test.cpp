#include "cli/pipeline/compress_state.h"

#include <catch2/catch.hpp>
#include <filesystem>

#include "formats/files/file.h"
#include "model/base/error.h"
#include "tests/support/temporary_folder.h"

using namespace ltz;
using namespace ltz::pipeline;

namespace {

const std::map<std::string, std::string> kMeasured = {{"model", "m"}, {"score", "s"}};

void write(const std::filesystem::path& path, const std::string& text) {
  formats::write_file_atomically(path, std::as_bytes(std::span(text)));
}

}  // namespace

TEST_CASE("a state comes back as it was saved") {
  const test::TemporaryFolder folder;
  const std::string path = folder.file("state").string();
  CompressState state(path, kMeasured);
  state.translations = {{5, 2}, {2}};
  state.sensitivities = {{"encoder.layers.0.fc1.weight", 0.25}};
  state.reference = {{.matches = {4, 3, 2, 1},
                      .totals = {5, 4, 3, 2},
                      .hypothesis_length = 5,
                      .reference_length = 6}};
  state.trials = {{.method = "preset max",
                   .strength = -29.125,
                   .sizes = {.total = 10, .embedding = 3, .vocabulary = 2, .model = 5},
                   .bleu = 12.5},
                  {.method = "other", .strength = 1.0}};
  state.training_text = "text";
  state.training_targets = {"un", ""};
  state.save();

  const CompressState found(path, kMeasured);
  CHECK(found.translations == state.translations);
  CHECK(found.sensitivities == state.sensitivities);
  REQUIRE(found.reference.size() == 1);
  CHECK(found.reference[0].matches == state.reference[0].matches);
  CHECK(found.reference[0].totals == state.reference[0].totals);
  CHECK(found.reference[0].hypothesis_length == 5);
  CHECK(found.reference[0].reference_length == 6);
  REQUIRE(found.trials.size() == 2);
  CHECK(found.trials[0].method == "preset max");
  CHECK(found.trials[0].strength == -29.125);
  CHECK(found.trials[0].sizes == state.trials[0].sizes);
  CHECK(found.trials[0].bleu == 12.5);
  CHECK_FALSE(found.trials[1].bleu.has_value());
  CHECK(found.training_text == "text");
  CHECK(found.training_targets == state.training_targets);
}

TEST_CASE("a state without a file keeps nothing") {
  CompressState state("", {});
  state.training_text = "text";
  state.save();
  CHECK(state.path().empty());
}

TEST_CASE("a state of something else is refused, and named") {
  const test::TemporaryFolder folder;
  const std::string path = folder.file("state").string();
  CompressState(path, kMeasured).save();
  CHECK_THROWS_MATCHES(CompressState(path, {{"model", "other"}, {"score", "s"}}), ConfigError,
                       Catch::Message(path + ": expected what was measured with model other, found "
                                             "m; remove the file or choose another"));
}

TEST_CASE("a damaged state is refused") {
  const test::TemporaryFolder folder;
  const std::filesystem::path path = folder.file("state");
  for (const char* text : {"", "{", "[]", R"({"measured":{}})", R"({"measured":{"model":1}})",
                           R"({"measured":{"model":"m","score":"s"},"translations":[["x"]]})"}) {
    write(path, text);
    CHECK_THROWS_AS(CompressState(path.string(), kMeasured), FormatError);
  }
}
