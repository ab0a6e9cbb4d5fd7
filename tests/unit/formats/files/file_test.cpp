#include "formats/files/file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "formats/files/mapped_file.h"
#include "model/base/error.h"
#include "tests/support/pickle_builder.h"

using namespace ltz;
using namespace ltz::formats;
using Catch::Matchers::Contains;
using ltz::test::to_bytes;
namespace fs = std::filesystem;

namespace {

// A folder that is gone after the test.
class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "ltz-file-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~Folder() { fs::remove_all(path_); }
  fs::path operator/(const char* name) const { return path_ / name; }
  std::ptrdiff_t count() const {
    return std::distance(fs::directory_iterator(path_), fs::directory_iterator());
  }

 private:
  fs::path path_;
};

}  // namespace

TEST_CASE("what is written is read back") {
  const Folder folder;
  for (const std::string& text : {std::string(), std::string("x"), std::string(200'000, 'y')}) {
    write_file_atomically(folder / "f", to_bytes(text));
    CHECK(read_text_file(folder / "f") == text);
    CHECK(folder.count() == 1);
  }
}

TEST_CASE("files that cannot be read are named") {
  const Folder folder;
  CHECK_THROWS_AS(read_file(folder / "none"), IoError);
  CHECK_THROWS_WITH(read_file(folder / "none"), Contains("none: No such file"));
  CHECK_THROWS_WITH(read_file(fs::temp_directory_path()), Contains("directory"));
  CHECK(read_file("/dev/null").empty());
}

TEST_CASE("without commit the target stays as it was and nothing is left behind") {
  const Folder folder;
  write_file_atomically(folder / "f", to_bytes("old"));
  {
    AtomicFile file(folder / "f");
    file.write(to_bytes("new"));
    CHECK(folder.count() == 2);
    CHECK(read_text_file(folder / "f") == "old");
  }
  CHECK(folder.count() == 1);
  CHECK(read_text_file(folder / "f") == "old");
}

TEST_CASE("a new file has the umask's permissions, an old one keeps its own") {
  const Folder folder;
  const mode_t mask = ::umask(027);
  write_file_atomically(folder / "f", to_bytes("1"));
  ::umask(mask);
  CHECK((fs::status(folder / "f").permissions() & fs::perms::all) == fs::perms(0640));
  fs::permissions(folder / "f", fs::perms(0600));
  write_file_atomically(folder / "f", to_bytes("2"));
  CHECK((fs::status(folder / "f").permissions() & fs::perms::all) == fs::perms(0600));
}

TEST_CASE("a symbolic link stays a link, also a dangling one") {
  const Folder folder;
  fs::create_symlink("target", folder / "link");
  for (const char* text : {"first", "second"}) {
    write_file_atomically(folder / "link", to_bytes(text));
    CHECK(fs::is_symlink(folder / "link"));
    CHECK(read_text_file(folder / "target") == text);
  }
  fs::create_symlink("loop", folder / "loop");
  CHECK_THROWS_AS(write_file_atomically(folder / "loop", to_bytes("x")), IoError);
}

TEST_CASE("what is no regular file is written directly") {
  write_file_atomically("/dev/null", to_bytes("text"));
  CHECK(fs::is_character_file("/dev/null"));
  CHECK_THROWS_WITH(write_file_atomically("/dev/full", to_bytes("text")), Contains("/dev/full"));
  const Folder folder;
  CHECK_THROWS_AS(write_file_atomically(folder / ".", to_bytes("x")), IoError);
  CHECK_THROWS_WITH(write_file_atomically(folder / "no/such", to_bytes("x")), Contains("no/such"));
}

TEST_CASE("an output that is the input is refused") {
  const Folder folder;
  write_file_atomically(folder / "a", to_bytes("x"));
  write_file_atomically(folder / "b", to_bytes("x"));
  fs::create_symlink("a", folder / "link");
  CHECK_THROWS_AS(require_different_files(folder / "a", folder / "a"), ConfigError);
  CHECK_THROWS_WITH(require_different_files(folder / "a", folder / "link"),
                    Contains("overwrite the input"));
  CHECK_NOTHROW(require_different_files(folder / "a", folder / "b"));
  CHECK_NOTHROW(require_different_files(folder / "a", folder / "new"));
  CHECK_NOTHROW(require_different_files("-", "-"));
  CHECK_NOTHROW(require_different_files("/dev/null", "/dev/null"));
}

TEST_CASE("two names of one file, also of one that is not there yet") {
  const Folder folder;
  fs::create_directory(folder / "sub");
  fs::create_symlink("new", folder / "link");
  CHECK(same_file(folder / "new", folder / "sub/../new"));
  CHECK(same_file(folder / "new", folder / "link"));
  CHECK(same_file("no-such-file", "./no-such-file"));
  CHECK_FALSE(same_file(folder / "new", folder / "newer"));
  CHECK_FALSE(same_file(folder / "new", folder / "sub/new"));
  fs::create_symlink("loop", folder / "loop");
  CHECK_FALSE(same_file(folder / "loop", folder / "new"));
}

TEST_CASE("whether a file can be written is known before, and nothing is left behind") {
  const Folder folder;
  write_file_atomically(folder / "old", to_bytes("x"));
  for (const fs::path& possible : {folder / "new", folder / "old", fs::path("-"),
                                   fs::path("/dev/null"), fs::path("/dev/full")}) {
    CAPTURE(possible);
    CHECK_NOTHROW(require_writable(possible));
  }
  CHECK(folder.count() == 1);
  CHECK(read_text_file(folder / "old") == "x");
  fs::create_symlink("loop", folder / "loop");
  for (const fs::path& impossible : {folder / "no/such", folder / ".", folder / "old/file",
                                     folder / "loop", folder / std::string(300, 'n').c_str()}) {
    CAPTURE(impossible);
    CHECK_THROWS_AS(require_writable(impossible), IoError);
    CHECK_THROWS_WITH(require_writable(impossible), Contains(impossible.string()));
  }
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  CHECK_NOTHROW(require_writable(folder / "pipe"));  // opening it would wait for a reader
}

TEST_CASE("a mapped file has the bytes of a file, and none of what cannot be mapped") {
  const Folder folder;
  write_file_atomically(folder / "a", to_bytes("content"));
  write_file_atomically(folder / "empty", {});
  const MappedFile mapped(folder / "a");
  CHECK(std::ranges::equal(mapped.bytes(), to_bytes("content")));
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  for (const char* name : {"empty", "pipe", "nowhere", "."}) {
    CAPTURE(name);
    CHECK(MappedFile(folder / name).bytes().empty());
  }
  CHECK(MappedFile("-").bytes().empty());
}
