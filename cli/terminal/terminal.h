#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace ltz::cli {

// What goes to standard error beside errors: all of it unless the user wants less.
struct Verbosity {
  bool messages = true;
  bool progress = true;
};
void set_verbosity(const Verbosity& wanted);

// A bar with the time left on standard error, where that is a terminal that can redraw a line (TERM
// is neither "dumb" nor empty); nothing elsewhere.
class ProgressBar {
 public:
  explicit ProgressBar(std::string label);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  // done: of total, both from the start of the work; what was done before the first call is not
  // counted when the time left is worked out.
  void update(std::size_t done, std::size_t total);

 private:
  using Clock = std::chrono::steady_clock;

  std::string label_;
  bool enabled_;
  Clock::time_point first_update_;
  Clock::time_point last_drawn_;
  std::size_t first_done_ = 0;
  bool started_ = false;
};

// Bold where standard output is such a terminal, unless NO_COLOR is set and not empty.
std::string bold(const std::string& text);

// The text on one line of any terminal: control characters and what is no UTF-8 as \x1b. For what
// comes from files.
std::string printable(std::string_view text);

// One line on standard error about what is being done. What cannot be written is lost.
void say(const std::string& message);

// Rows of equal length in columns: the first column to the left, the others to the right. The first
// row is the heading; an empty row is a rule.
std::string format_table(const std::vector<std::vector<std::string>>& rows);

}  // namespace ltz::cli
