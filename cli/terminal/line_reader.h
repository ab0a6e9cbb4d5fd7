#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "formats/bytes/text_lines.h"
#include "formats/files/file_descriptor.h"

namespace ltz::cli {

// In a text, lines end with LF, CR LF or CR, as in Python, the last one with any of them or with
// the text; a byte order mark at its start does not belong to it.

// The lines of a file, without their ends; "-" is standard input. Throws IoError.
std::vector<std::string> read_lines(const std::string& path,
                                    formats::LineEnds ends = formats::LineEnds::kUniversal);
// The same of a text that must not be empty. Throws ConfigError, too.
std::vector<std::string> read_text(const std::string& path);

// Of a text that is read line by line; "-" is standard input. Throws IoError.
formats::Descriptor open_text(const std::string& path);

// The lines of standard input, or of what another descriptor reads, many at a time but none late:
// work on several lines at once is faster, but whoever writes a line and waits for the answer
// before writing the next must get one.
class LineReader {
 public:
  static constexpr std::size_t kLongestLine = std::size_t{1} << 24;

  // path: what errors call it; empty: standard input.
  explicit LineReader(int descriptor, std::string path = {})
      : descriptor_(descriptor), path_(std::move(path)) {}

  // The next lines, without their ends: at least one, for which it waits, and at most `most`, as
  // long as they follow each other without a pause. Nothing at the end of the input. Throws
  // IoError, and FormatError for a line of more than kLongestLine bytes, after the lines before it.
  std::vector<std::string> read(std::size_t most);

 private:
  // Skips the LF behind a CR, which may come later than that.
  void skip_line_feed();
  bool take_line(std::vector<std::string>& lines);
  bool pauses() const;
  void fill();

  int descriptor_;
  std::string path_;
  bool ended_ = false;
  std::size_t taken_ = 0;      // lines
  std::string buffer_;         // what was read and is not yet taken
  std::size_t start_ = 0;      // of the next line in it
  std::size_t looked_ = 0;     // no line ends before this
  bool after_return_ = false;  // the last line ended with CR
};

}  // namespace ltz::cli
