#include "formats/fairseq/vocabulary_files.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "formats/fairseq/fairseq.h"
#include "formats/files/file.h"
#include "model/base/error.h"
#include "tests/support/temporary_folder.h"

using namespace ltz;
using namespace ltz::formats;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

void write_text(const fs::path& path, const std::string& text) {
  write_file_atomically(path, std::as_bytes(std::span(text)));
}

}  // namespace

TEST_CASE("a dictionary of subwords asks for codes") {
  const Vocabulary half({"a", "b", "c@@", "d@@"});
  const Vocabulary less({"a", "b", "c", "d@@", "e@@"});
  CHECK_NOTHROW(require_whole_words(less, less));
  CHECK_NOTHROW(require_whole_words(Vocabulary(), less));
  CHECK_THROWS_WITH(require_whole_words(half, less),
                    Contains("2 of 4 words of the source dictionary") && Contains("--bpe-codes") &&
                        Contains("--no-bpe"));
  CHECK_THROWS_WITH(require_whole_words(less, half), Contains("target dictionary"));
}

TEST_CASE("of many subwords a fifth of the dictionary is enough") {
  const auto with_subwords = [](int count) {
    std::vector<std::string> words;
    for (int i = 0; i < 500; ++i) {
      words.push_back(std::to_string(i) + (i < count ? "@@" : ""));
    }
    return Vocabulary(words);
  };
  CHECK_NOTHROW(require_whole_words(with_subwords(99), {}));
  CHECK_THROWS_AS(require_whole_words(with_subwords(100), {}), ConfigError);
}

TEST_CASE("a dictionary of SentencePiece's pieces is refused by that name") {
  const Vocabulary pieces({"▁a", "▁b", "c"});
  const Vocabulary few({"▁a", "b", "c"});
  CHECK_NOTHROW(require_whole_words(few, few));
  CHECK_THROWS_WITH(require_whole_words(few, pieces), Contains("2 of 3 words of the target") &&
                                                          Contains("SentencePiece") &&
                                                          Contains("--no-bpe"));
}

TEST_CASE("merges are known when one dictionary has what they make") {
  const Vocabulary source({"th@@", "the"});
  const Vocabulary target({"ca@@"});
  CHECK(share_of_unknown_merges({}, source, target) == 0.0);
  CHECK(share_of_unknown_merges({{"t", "h"}, {"th", "e</w>"}, {"c", "a"}}, source, target) == 0.0);
  CHECK(share_of_unknown_merges({{"t", "h"}, {"t", "h</w>"}}, source, target) == 0.5);
}

TEST_CASE("codes are found, asked for, left out, and compared with the dictionaries") {
  const fs::path original = fs::path(LTZ_GOLDEN_DIR) / "iwslt-lightweight";
  const test::TemporaryFolder folder;
  for (const char* name : {"checkpoint.pt", "dict.src.txt", "dict.tgt.txt"}) {
    fs::copy_file(original / name, folder.file(name));
  }
  std::string subwords;
  for (int i = 0; i < 60; ++i) {
    subwords += fmt::format("w{:02}@@ 1\n", i);
  }
  write_text(folder.file("dict.src.txt"), subwords);
  const fs::path model = folder.file("checkpoint.pt");
  std::vector<std::string> warnings;
  VocabularyFiles files{.warn = [&](const std::string& text) { warnings.push_back(text); }};
  const auto merges = [&] { return read_fairseq_checkpoint(model, files).merges; };

  CHECK_THROWS_AS(merges(), ConfigError);
  CHECK_THROWS_WITH(merges(), Contains(model.string()) && Contains("--no-bpe"));
  files.no_bpe = true;
  CHECK(merges().empty());
  write_text(folder.file("bpecodes"), "w 0 9\n");
  CHECK(merges().empty());
  files.no_bpe = false;
  CHECK(merges() == BpeMerges{{"w", "0"}});
  REQUIRE(warnings.size() == 1);
  CHECK_THAT(warnings[0], Contains("bpecodes: 100.0% of the merges"));
  write_text(folder.file("bpe.codes"), "#version: 0.2\nw0 0\n");
  CHECK(merges() == BpeMerges{{"w0", "0"}});
  CHECK(warnings.size() == 1);
  files.bpe_codes = folder.file("bpecodes");
  CHECK(merges() == BpeMerges{{"w", "0"}});
}

TEST_CASE("codes or a SentencePiece model: what is named, what is there, what there must be") {
  const fs::path original = fs::path(LTZ_GOLDEN_DIR) / "iwslt-lightweight";
  const fs::path pieces = fs::path(LTZ_GOLDEN_DIR) / "sentencepiece" / "unigram.model";
  const test::TemporaryFolder folder;
  const fs::path path = folder.file("checkpoint.pt");
  for (const char* name : {"dict.src.txt", "dict.tgt.txt"}) {
    fs::copy_file(original / name, folder.file(name));
  }
  const TorchCheckpoint torch =
      read_torch_checkpoint(read_file(original / "checkpoint.pt"), path.string());
  const auto kind = [&](const VocabularyFiles& files, const char* bpe_of_args = "") {
    TorchCheckpoint changed = torch;
    changed.args["bpe"] = bpe_of_args;
    const Checkpoint found = checkpoint_with_dictionaries(std::move(changed), path, files);
    return std::pair(!found.merges.empty(), !found.sentencepiece.empty());
  };
  const std::pair codes_apply(true, false);
  const std::pair pieces_apply(false, true);

  CHECK_THROWS_WITH(kind({}, "sentencepiece"),
                    Contains(path.string()) && Contains("--sentencepiece-model FILE"));
  CHECK_THROWS_WITH(kind({.bpe = "sentencepiece"}), Contains("--sentencepiece-model FILE"));
  CHECK_THROWS_WITH(kind({.bpe = "fastbpe"}), Contains("--bpe-codes FILE"));
  CHECK(kind({.sentencepiece_model = pieces}) == pieces_apply);
  CHECK(kind({.sentencepiece_model = pieces, .bpe = "sentencepiece"}) == pieces_apply);
  CHECK_THROWS_AS(kind({.sentencepiece_model = pieces, .bpe = "fastbpe"}), ConfigError);
  CHECK_THROWS_AS(kind({.bpe_codes = pieces, .bpe = "sentencepiece"}), ConfigError);
  CHECK_THROWS_WITH(kind({.sentencepiece_model = original / "dict.src.txt"}),
                    Contains("dict.src.txt: SentencePiece model"));

  fs::copy_file(pieces, folder.file("sentencepiece.bpe.model"));
  CHECK(kind({}) == pieces_apply);
  CHECK(kind({}, "sentencepiece") == pieces_apply);
  CHECK(kind({.no_bpe = true}, "sentencepiece") == std::pair(false, false));
  CHECK_THROWS_WITH(kind({.bpe = "subword_nmt"}), Contains("--bpe-codes FILE"));
  write_text(folder.file("bpe.codes"), "a b 2\n");
  CHECK(kind({}) == codes_apply);
  CHECK(kind({.bpe = "sentencepiece"}) == pieces_apply);
  CHECK_THROWS_WITH(kind({.bpe = "subword_nmt"}), Contains("expected codes of subword_nmt"));
}
