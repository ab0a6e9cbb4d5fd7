#include "cli/terminal/terminal.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "cli/terminal/standard_streams.h"
#include "formats/bytes/utf8.h"

namespace ltz::cli {
namespace {

constexpr std::size_t kBarWidth = 30;
constexpr std::chrono::milliseconds kRedrawInterval(100);
constexpr std::string_view kEraseLine = "\r\033[K";

Verbosity verbosity;

// Whether an environment variable has a value that is not empty.
bool is_set(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != 0;
}

// Whether it is a terminal that understands control sequences.
bool has_control_sequences(int descriptor) {
  return isatty(descriptor) != 0 && is_set("TERM") &&
         std::string_view(std::getenv("TERM")) != "dumb";
}

std::string duration(double seconds) {
  const auto whole = static_cast<long long>(seconds + 0.5);
  return whole < 3600 ? fmt::format("{}:{:02}", whole / 60, whole % 60)
                      : fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

// Columns that a text takes on a terminal: code points, which is right for what ltz prints.
std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](unsigned char c) { return (c & 0xC0) != 0x80; }));
}

// Bytes of the UTF-8 character that the text starts with; 0 if it starts with none.
std::size_t character_length(std::string_view text) {
  for (std::size_t length = 1; length <= 4 && length <= text.size(); ++length) {
    if (formats::is_valid_utf8(text.substr(0, length))) {
      return length;
    }
  }
  return 0;
}

// U+0000 to U+001F, U+007F to U+009F.
bool is_control(std::string_view character) {
  const auto first = static_cast<unsigned char>(character[0]);
  const bool in_latin1 = character.size() == 2 && first == 0xC2;
  return first < 0x20 || first == 0x7F ||
         (in_latin1 && static_cast<unsigned char>(character[1]) < 0xA0);
}

}  // namespace

void set_verbosity(const Verbosity& wanted) {
  verbosity = wanted;
}

ProgressBar::ProgressBar(std::string label)
    : label_(std::move(label)),
      enabled_(verbosity.progress && has_control_sequences(STDERR_FILENO)) {}

ProgressBar::~ProgressBar() {
  if (started_) {
    write_to_stderr(kEraseLine);
  }
}

void ProgressBar::update(std::size_t done, std::size_t total) {
  if (!enabled_ || total == 0) {
    return;
  }
  const auto now = Clock::now();
  if (!started_) {
    started_ = true;
    first_update_ = now;
    first_done_ = done;
  } else if (now - last_drawn_ < kRedrawInterval && done < total) {
    return;
  }
  last_drawn_ = now;
  const std::size_t filled = kBarWidth * done / total;
  std::string left;
  if (done > first_done_) {
    const std::chrono::duration<double> spent = now - first_update_;
    left = fmt::format(", {} left", duration(spent.count() * static_cast<double>(total - done) /
                                             static_cast<double>(done - first_done_)));
  }
  write_to_stderr(fmt::format("\r{} [{:#<{}}{:.<{}}] {}/{}{}\033[K", label_, "", filled, "",
                              kBarWidth - filled, done, total, left));
}

std::string bold(const std::string& text) {
  const bool plain = is_set("NO_COLOR") || !has_control_sequences(STDOUT_FILENO);
  return plain ? text : fmt::format("\033[1m{}\033[0m", text);
}

std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t length = character_length(text);
    const std::string_view character = text.substr(0, std::max<std::size_t>(length, 1));
    text.remove_prefix(character.size());
    if (length != 0 && !is_control(character)) {
      out += character;
      continue;
    }
    for (const char byte : character) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(byte));
    }
  }
  return out;
}

void say(const std::string& message) {
  if (verbosity.messages) {
    write_to_stderr(printable(message) + "\n");
  }
}

std::string format_table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t c = 0; c < row.size(); ++c) {
      widths[c] = std::max(widths[c], width(row[c]));
    }
  }
  std::string table;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    std::string line;
    for (std::size_t c = 0; c < widths.size(); ++c) {
      if (rows[r].empty()) {
        line += std::string(widths[c] + (c == 0 ? 0 : 2), '-');
        continue;
      }
      const std::string cell = c < rows[r].size() ? rows[r][c] : "";
      const std::string padding(widths[c] - width(cell), ' ');
      line += c == 0 ? cell + padding : fmt::format("  {}{}", padding, cell);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    table += (r == 0 ? bold(line) : line) + "\n";
  }
  return table;
}

}  // namespace ltz::cli
