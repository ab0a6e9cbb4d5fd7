#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cli/options/model_output.h"
#include "cli/options/options.h"
#include "cli/options/report_options.h"
#include "formats/models/file_kind.h"

namespace ltz::cli {

// The files of a command, declared before any of them is touched: no output may be an input or
// another output, all outputs must be possible, and a file that is there is only replaced by one of
// its kind. Empty names are options that were not given.
class Files {
 public:
  Files& reads(const std::string& path);
  // With what a checkpoint takes from its folder.
  Files& reads(const ModelOptions& model);
  Files& reads(const formats::VocabularyFiles& vocabulary);
  Files& reads(const TextOptions& text);
  // The text and the baseline.
  Files& reads(const ReportOptions& report);

  // What is read before it is written again, and refused there if it is something else.
  Files& writes(const std::string& path);
  Files& writes_text(const std::string& path);
  Files& writes(const JsonOptions& json);
  // JSON and JUnit.
  Files& writes(const ReportOptions& report);
  // No terminal. Throws what container() does.
  Files& writes(const ModelOutput& model);
  // Named .ltz; or a pipe, a device or standard output, but no terminal.
  Files& writes_ltz(const std::string& path);
  // A folder that is not there yet, or empty.
  Files& writes_folder(const std::string& path);

  // Throws ConfigError or IoError that names the output, CLI::ValidationError when standard input
  // or output is to be used twice.
  void check() const;

  // Lets outputs replace files of any kind from now on: --force.
  static void replace_any();

 private:
  std::vector<std::filesystem::path> inputs_;
  Files& writes(const std::string& path, formats::FileKind kind);

  struct Output {
    std::filesystem::path path;
    formats::FileKind kind;  // kNothing: whatever is there
  };
  std::vector<Output> outputs_;
  std::vector<std::filesystem::path> folders_;
};

}  // namespace ltz::cli
