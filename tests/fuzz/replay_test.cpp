// What fuzzing has found, read once more: inputs that reach much of each decoder, and those that
// once broke it. corpus/NAME.zip, see run.sh.

#include <zip.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <memory>
#include <string>

#include "tests/fuzz/targets.h"

using namespace ltz::test;

namespace {

struct Discard {
  void operator()(zip_t* archive) const { zip_discard(archive); }
};

std::vector<std::vector<std::byte>> corpus_of(const std::string& name) {
  const std::string path = LTZ_FUZZ_CORPUS "/" + name + ".zip";
  int error = 0;
  const std::unique_ptr<zip_t, Discard> archive(zip_open(path.c_str(), ZIP_RDONLY, &error));
  INFO(path);
  REQUIRE(archive != nullptr);
  std::vector<std::vector<std::byte>> corpus;
  const zip_int64_t entries = zip_get_num_entries(archive.get(), 0);
  for (zip_int64_t i = 0; i < entries; ++i) {
    const auto entry = static_cast<zip_uint64_t>(i);
    zip_stat_t status;
    REQUIRE(zip_stat_index(archive.get(), entry, 0, &status) == 0);
    std::vector<std::byte> bytes(status.size);
    zip_file_t* file = zip_fopen_index(archive.get(), entry, 0);
    REQUIRE(file != nullptr);
    const zip_int64_t read = zip_fread(file, bytes.data(), bytes.size());
    zip_fclose(file);
    REQUIRE(read == static_cast<zip_int64_t>(bytes.size()));
    corpus.push_back(std::move(bytes));
  }
  return corpus;
}

}  // namespace

TEST_CASE("what fuzzing found is read or refused") {
  for (const FuzzTarget& target : fuzz_targets()) {
    CAPTURE(target.name);
    for (const auto& seed : target.seeds()) {
      CHECK_NOTHROW(fuzz_one(target, seed));
    }
    const auto corpus = corpus_of(std::string(target.name));
    CHECK(!corpus.empty());
    for (const auto& bytes : corpus) {
      CHECK_NOTHROW(fuzz_one(target, bytes));
    }
  }
}

TEST_CASE("a decoder to fuzz is known by its name") {
  CHECK(fuzz_target("ltz").name == "ltz");
  CHECK_THROWS_WITH(fuzz_target("tar"), "no decoder tar");
}
