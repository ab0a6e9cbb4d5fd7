#pragma once

#include <string>
#include <vector>

namespace ltz::cli {

// The report files that a command line names, found before it is understood: whatever becomes of
// the command, the report of an earlier one must not be taken for its own.
class PromisedReports {
 public:
  // Looks for --json=FILE, --junit FILE and --junit=FILE, and removes what an earlier run has
  // written there. Other files stay; so does one that the command line names twice.
  PromisedReports(int argc, const char* const* argv);

  // Says in each of them that the command has failed. Where that cannot be written, nothing is.
  void write_error(const std::string& message, int exit_code) const;

 private:
  struct Report {
    std::string path;
    bool junit = false;
  };
  std::vector<Report> reports_;
};

}  // namespace ltz::cli
