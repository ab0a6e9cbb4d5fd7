#include "formats/models/file_kind.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <span>
#include <string_view>

#include "formats/files/file.h"
#include "formats/models/model_file.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/tiny_checkpoint.h"

namespace ltz::formats {

TEST_CASE("a file is what its bytes say") {
  const test::TemporaryFolder folder;
  const std::filesystem::path path = folder.file("x.h5");
  const auto kind_with = [&](std::string_view content) {
    write_file_atomically(path, std::as_bytes(std::span(content)));
    return kind_of(path);
  };
  CHECK(kind_of(path) == FileKind::kNothing);
  CHECK(kind_with("") == FileKind::kNothing);
  CHECK(kind_with(" {\"passed\": true}") == FileKind::kJson);
  CHECK(kind_with("<?xml version=\"1.0\"?>") == FileKind::kXml);
  CHECK(kind_with("<testsuite/>") == FileKind::kXml);
  CHECK(kind_with("a line\n") == FileKind::kText);
  CHECK(kind_with("<unk> a line\n") == FileKind::kText);
  CHECK(kind_with("{ a } line\n") == FileKind::kText);
  CHECK(kind_with(" \n") == FileKind::kText);
  CHECK(kind_with(std::string_view("a\0b", 3)) == FileKind::kOther);
  CHECK(kind_with("PK\x03\x04") == FileKind::kPt);
  CHECK(kind_of("/dev/null") == FileKind::kNothing);
}

TEST_CASE("models are told apart") {
  const test::TemporaryFolder folder;
  const Checkpoint checkpoint = tiny_checkpoint(1);
  const auto kind_as = [&](const char* name) {
    write_model(folder.file(name), checkpoint);
    return kind_of(folder.file(name));
  };
  CHECK(kind_as("m.ltz") == FileKind::kLtz);
  CHECK(kind_as("m.h5") == FileKind::kHdf5);
  CHECK(kind_as("m.safetensors") == FileKind::kSafetensors);
}

}  // namespace ltz::formats
