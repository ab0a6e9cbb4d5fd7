#include "formats/files/folder.h"

#include <catch2/catch.hpp>
#include <span>
#include <string>

#include "formats/files/file.h"
#include "model/base/error.h"
#include "tests/support/temporary_folder.h"

namespace ltz::formats {
namespace {

std::vector<std::byte> bytes_of(const std::string& text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

std::size_t entries(const std::filesystem::path& folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

}  // namespace

TEST_CASE("a folder is written with all of its files") {
  const test::TemporaryFolder place;
  const std::string name = GENERATE("new", "empty", "slash/");
  if (name == "empty") {
    std::filesystem::create_directory(place.file(name));
  }
  write_folder(place.file(name), {{"a", bytes_of("1")}, {"b", bytes_of("")}});
  CHECK(read_text_file(place.file(name) / "a") == "1");
  CHECK(read_text_file(place.file(name) / "b").empty());
  CHECK(entries(place.file(name)) == 2);
  CHECK(entries(place.file(".")) == 1);
}

TEST_CASE("a folder that cannot be written completely is not there at all") {
  const test::TemporaryFolder place;
  CHECK_THROWS_AS(write_folder(place.file("new"), {{"a", {}}, {"no/folder", {}}}), IoError);
  CHECK(entries(place.file(".")) == 0);
}

TEST_CASE("only new and empty folders are written") {
  const test::TemporaryFolder place;
  write_file_atomically(place.file("file"), bytes_of("1"));
  CHECK_THROWS_AS(write_folder(place.file("."), {{"a", {}}}), IoError);
  CHECK_THROWS_AS(write_folder(place.file("file"), {{"a", {}}}), IoError);
  CHECK_THROWS_AS(write_folder(place.file("nowhere") / "new", {{"a", {}}}), IoError);
  CHECK_THROWS_AS(write_folder("-", {{"a", {}}}), IoError);
  CHECK(entries(place.file(".")) == 1);
  CHECK(read_text_file(place.file("file")) == "1");
}

}  // namespace ltz::formats
