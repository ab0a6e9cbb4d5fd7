#include "cli/reports/promised_reports.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>
#include <system_error>

#include "cli/reports/junit.h"
#include "cli/reports/report.h"
#include "formats/files/file.h"
#include "formats/models/file_kind.h"
#include "model/base/error.h"

namespace ltz::cli {
namespace {

namespace fs = std::filesystem;

// Whether the file is one that write_json or junit_of has written, or nothing is there to lose.
bool is_report(const fs::path& path, bool junit) {
  const formats::FileKind kind = formats::kind_of(path);
  if (kind == formats::FileKind::kNothing) {
    return true;
  }
  std::string start(4096, '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(start.data(), static_cast<std::streamsize>(start.size()));
  const auto has = [&](const char* text) { return start.find(text) != std::string::npos; };
  return junit ? kind == formats::FileKind::kXml && has("<testsuite")
               : kind == formats::FileKind::kJson &&
                     (has("\"schema_version\"") || has("\"passed\"") || has("\"error\""));
}

// What an argument names: itself, or what is behind its "=".
std::string_view file_in(std::string_view argument) {
  const std::size_t equals = argument.find('=');
  return argument.starts_with("-") && equals != std::string_view::npos ? argument.substr(equals + 1)
                                                                       : argument;
}

}  // namespace

PromisedReports::PromisedReports(int argc, const char* const* argv) {
  const std::vector<std::string> arguments(argv, argv + argc);
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument.starts_with("--json=") || argument.starts_with("--junit=")) {
      reports_.push_back({std::string(file_in(argument)), argument.starts_with("--junit")});
    } else if (argument == "--junit" && i + 1 < arguments.size()) {
      reports_.push_back({arguments[i + 1], true});
    }
  }
  std::erase_if(reports_, [&](const Report& report) {
    const auto names_it = [&](const std::string& argument) {
      const std::string_view file = file_in(argument);
      return !file.empty() && formats::same_file(file, report.path);
    };
    return report.path.empty() || formats::is_written_directly(report.path) ||
           std::ranges::count_if(arguments, names_it) != 1 || !is_report(report.path, report.junit);
  });
  for (const Report& report : reports_) {
    std::error_code ignored;
    fs::remove(fs::canonical(report.path, ignored), ignored);  // a symbolic link stays
  }
}

void PromisedReports::write_error(const std::string& message, int exit_code) const {
  for (const Report& report : reports_) {
    try {
      if (report.junit) {
        const std::string xml = junit_of_error(message, exit_code);
        formats::write_file_atomically(report.path, std::as_bytes(std::span(xml)));
      } else {
        write_json({.path = report.path}, {{"error", message}, {"exit_code", exit_code}});
      }
    } catch (const Error&) {
      // The command's own error is what is said; the report is not there.
    }
  }
}

}  // namespace ltz::cli
