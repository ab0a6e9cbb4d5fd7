#include "cli/terminal/line_reader.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "model/base/error.h"
#include "tests/support/temporary_folder.h"

using namespace ltz;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using ltz::cli::LineReader;
using Lines = std::vector<std::string>;

namespace {

constexpr std::size_t kAll = 1000;

class Pipe {
 public:
  Pipe() { REQUIRE(::pipe(ends_) == 0); }
  ~Pipe() {
    close_writer();
    ::close(ends_[0]);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  int reader() const { return ends_[0]; }
  // Text that fits into a pipe, or that another thread reads.
  void write(std::string_view text) {
    while (!text.empty()) {
      const ssize_t written = ::write(ends_[1], text.data(), text.size());
      if (written <= 0) {
        return;
      }
      text.remove_prefix(static_cast<std::size_t>(written));
    }
  }
  void close_writer() {
    if (ends_[1] >= 0) {
      ::close(ends_[1]);
      ends_[1] = -1;
    }
  }

 private:
  int ends_[2] = {-1, -1};
};

// Everything that is read from the text, at most `most` lines at once.
Lines read_all(std::string_view text, std::size_t most = kAll) {
  Pipe pipe;
  pipe.write(text);
  pipe.close_writer();
  LineReader reader(pipe.reader());
  Lines all;
  for (Lines lines = reader.read(most); !lines.empty(); lines = reader.read(most)) {
    CHECK(lines.size() <= most);
    all.insert(all.end(), lines.begin(), lines.end());
  }
  CHECK(reader.read(most).empty());
  return all;
}

Lines read_file(std::string_view text) {
  const test::TemporaryFolder folder;
  const std::string path = folder.file("text").string();
  std::ofstream(path, std::ios::binary) << text;
  return cli::read_lines(path);
}

}  // namespace

TEST_CASE("lines end with LF, CR LF, CR or the text, in a pipe as in a file") {
  struct Text {
    std::string_view bytes;
    Lines lines;
  };
  const Text text = GENERATE(values<Text>({
      {"", {}},
      {"\n", {""}},
      {"a", {"a"}},
      {"a\n", {"a"}},
      {"a\r\nb\n", {"a", "b"}},
      {"a\n\nb\r", {"a", "", "b"}},
      {"a\rb\n", {"a", "b"}},
      {"a\r\r\n\rb\n\r\n", {"a", "", "", "b", ""}},
      {"a\u2028b\u0085c\x1C\v\f\n", {"a\u2028b\u0085c\x1C\v\f"}},
      {" a  b \n", {" a  b "}},
      {"\xEF\xBB\xBF"
       "a\n\xEF\xBB\xBF"
       "b\n",
       {"a",
        "\xEF\xBB\xBF"
        "b"}},
      {"\xEF\xBB\xBF\r\n", {""}},
  }));
  CAPTURE(text.bytes);
  CHECK(read_all(text.bytes) == text.lines);
  CHECK(read_all(text.bytes, 1) == text.lines);
  CHECK(read_file(text.bytes) == text.lines);
}

TEST_CASE("the LF behind a CR ends no other line, even if it comes later") {
  Pipe pipe;
  LineReader reader(pipe.reader());
  pipe.write("one\r");
  CHECK(reader.read(kAll) == Lines{"one"});
  pipe.write("\ntwo\r");
  CHECK(reader.read(kAll) == Lines{"two"});
  pipe.write("three\r\n");
  CHECK(reader.read(kAll) == Lines{"three"});
  pipe.close_writer();
  CHECK(reader.read(kAll).empty());
}

TEST_CASE("scores read lines as sacreBLEU does") {
  const test::TemporaryFolder folder;
  const std::string path = folder.file("text").string();
  std::ofstream(path, std::ios::binary) << "a\rb\r\nc";
  CHECK(cli::read_lines(path, formats::LineEnds::kLineFeed) == Lines{"a\rb", "c"});
}

TEST_CASE("a line that arrives in pieces is whole") {
  Pipe pipe;
  LineReader reader(pipe.reader());
  pipe.write("one\ntw");
  CHECK(reader.read(kAll) == Lines{"one"});
  pipe.write("o\r\nthree");
  CHECK(reader.read(kAll) == Lines{"two"});
  pipe.close_writer();
  CHECK(reader.read(kAll) == Lines{"three"});
  CHECK(reader.read(kAll).empty());
}

TEST_CASE("whoever waits for an answer gets it: lines are not held back for more of them") {
  Pipe pipe;
  LineReader reader(pipe.reader());
  for (const std::string line : {"one", "two"}) {
    pipe.write(line + "\n");
    CHECK(reader.read(kAll) == Lines{line});
  }
}

TEST_CASE("no more lines are taken at once than were asked for") {
  Pipe pipe;
  LineReader reader(pipe.reader());
  pipe.write("1\n2\n3\n4\n5\n");
  CHECK(reader.read(2) == Lines{"1", "2"});
  CHECK(reader.read(2) == Lines{"3", "4"});
  CHECK(reader.read(2) == Lines{"5"});
}

TEST_CASE("a line may be long, but not without end, and the lines before it come first") {
  Pipe pipe;
  LineReader reader(pipe.reader());
  const std::string longest(LineReader::kLongestLine, 'x');
  // Beside the reader, because a pipe holds less.
  std::thread writer([&] {
    pipe.write("first\n" + longest + "\nthird\n" + longest + "xx");
    pipe.close_writer();
  });
  Lines lines;
  std::string error;
  try {
    while (lines.size() < 4) {
      const Lines more = reader.read(kAll);
      lines.insert(lines.end(), more.begin(), more.end());
      if (more.empty()) {
        break;
      }
    }
  } catch (const FormatError& refusal) {
    error = refusal.what();
    // What the writer still has to say.
    std::string rest(1 << 16, '\0');
    while (::read(pipe.reader(), rest.data(), rest.size()) > 0) {
    }
  }
  writer.join();
  CHECK((lines == Lines{"first", longest, "third"}));
  CHECK_THAT(error, Contains("line 4: longer than 16777216 bytes"));
}

TEST_CASE("what cannot be read is an error") {
  LineReader reader(-1);
  CHECK_THROWS_AS(reader.read(1), IoError);
  CHECK_THROWS_AS(cli::read_lines("/nowhere/text"), IoError);
  CHECK_THROWS_WITH(cli::open_text("/nowhere/text"), StartsWith("/nowhere/text: "));
  const formats::Descriptor folder = cli::open_text("/");
  CHECK_THROWS_WITH(LineReader(folder.get(), "/").read(1), StartsWith("/: "));
}
