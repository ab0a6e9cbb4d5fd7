#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace ltz::cli {

// A bar with the time left on standard error, where that is a terminal; nothing elsewhere.
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

// "bold" text where `stream` is a terminal and NO_COLOR is not set.
std::string bold(const std::string& text);

// The text on one line of any terminal: control characters and what is no UTF-8 as \x1b. For what
// comes from files.
std::string printable(std::string_view text);

// One line on standard error about what is being done.
void say(const std::string& message);

// Rows of equal length in columns: the first column to the left, the others to the right. The first
// row is the heading; an empty row is a rule.
std::string format_table(const std::vector<std::vector<std::string>>& rows);

}  // namespace ltz::cli
