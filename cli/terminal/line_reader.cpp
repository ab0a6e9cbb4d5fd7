#include "cli/terminal/line_reader.h"

#include <fcntl.h>
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

}  // namespace

std::vector<std::string> read_lines(const std::string& path, formats::LineEnds ends) {
  const std::string text = formats::read_text_file(path);
  const auto lines = formats::text_lines(text, ends);
  return {lines.begin(), lines.end()};
}

std::vector<std::string> read_text(const std::string& path) {
  std::vector<std::string> lines = read_lines(path);
  if (lines.empty()) {
    throw ConfigError(path + ": the text is empty");
  }
  return lines;
}

formats::Descriptor open_text(const std::string& path) {
  const int descriptor =
      formats::is_standard_stream(path) ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    formats::throw_io_error(path, "");
  }
  return formats::Descriptor(descriptor);
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
      throw FormatError((path_.empty() ? "" : path_ + ": ") + "line " + std::to_string(taken_ + 1) +
                        ": longer than " + std::to_string(kLongestLine) + " bytes");
    }
    fill();
  }
  return lines;
}

void LineReader::skip_line_feed() {
  if (after_return_ && start_ < buffer_.size()) {
    after_return_ = false;
    start_ += buffer_[start_] == '\n' ? 1 : 0;
    looked_ = start_;
  }
}

bool LineReader::take_line(std::vector<std::string>& lines) {
  skip_line_feed();
  const std::size_t end = std::min(buffer_.find_first_of("\r\n", looked_), buffer_.size());
  looked_ = end;
  if (end == buffer_.size() && (!ended_ || end == start_)) {
    return false;
  }
  std::string_view line = std::string_view(buffer_).substr(start_, end - start_);
  if (taken_++ == 0 && line.starts_with(formats::kByteOrderMark)) {
    line.remove_prefix(formats::kByteOrderMark.size());
  }
  lines.emplace_back(line);
  after_return_ = end < buffer_.size() && buffer_[end] == '\r';
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
    if (!path_.empty()) {
      formats::throw_io_error(path_, "");
    }
    throw IoError("cannot read standard input");
  }
  buffer_.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  ended_ = got == 0;
}

}  // namespace ltz::cli
