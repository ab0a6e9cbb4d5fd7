#include "cli/terminal/line_reader.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "formats/files/file.h"
#include "model/base/error.h"

namespace ltz::cli {
namespace {

constexpr std::size_t kBlock = std::size_t{1} << 16;  // what a pipe holds
// Longer than a program that writes as fast as it can is kept from it; nothing to somebody who
// reads a translation.
constexpr int kPauseMilliseconds = 20;

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// line: number `number`, from 0, without LF.
std::string_view content(std::string_view line, std::size_t number) {
  if (number == 0 && line.starts_with(kByteOrderMark)) {
    line.remove_prefix(kByteOrderMark.size());
  }
  if (line.ends_with('\r')) {
    line.remove_suffix(1);
  }
  return line;
}

}  // namespace

std::vector<std::string> read_lines(const std::string& path) {
  const std::string text = formats::read_text_file(path);
  std::vector<std::string> lines;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    lines.emplace_back(content(std::string_view(text).substr(start, end - start), lines.size()));
    start = end + 1;
  }
  return lines;
}

std::vector<std::string> read_text(const std::string& path) {
  std::vector<std::string> lines = read_lines(path);
  if (lines.empty()) {
    throw ConfigError(path + ": the text is empty");
  }
  return lines;
}

std::vector<std::string> LineReader::read(std::size_t most) {
  std::vector<std::string> lines;
  while (lines.size() < most) {
    if (take_line(lines)) {
      continue;
    }
    if (ended_ || (!lines.empty() && pauses())) {
      break;
    }
    if (buffer_.size() - start_ > kLongestLine) {
      if (!lines.empty()) {
        break;
      }
      throw FormatError("line " + std::to_string(taken_ + 1) + ": longer than " +
                        std::to_string(kLongestLine) + " bytes");
    }
    fill();
  }
  return lines;
}

bool LineReader::take_line(std::vector<std::string>& lines) {
  const std::size_t end = std::min(buffer_.find('\n', looked_), buffer_.size());
  looked_ = end;
  if (end == buffer_.size() && (!ended_ || end == start_)) {
    return false;
  }
  lines.emplace_back(content(std::string_view(buffer_).substr(start_, end - start_), taken_++));
  start_ = looked_ = std::min(end + 1, buffer_.size());
  return true;
}

bool LineReader::pauses() const {
  pollfd input{.fd = descriptor_, .events = POLLIN, .revents = 0};
  return ::poll(&input, 1, kPauseMilliseconds) == 0;
}

void LineReader::fill() {
  buffer_.erase(0, start_);
  looked_ -= start_;
  start_ = 0;
  const std::size_t before = buffer_.size();
  buffer_.resize(before + kBlock);
  const ssize_t got = ::read(descriptor_, buffer_.data() + before, kBlock);
  if (got < 0 && errno != EINTR) {
    throw IoError("cannot read standard input");
  }
  buffer_.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  ended_ = got == 0;
}

}  // namespace ltz::cli
