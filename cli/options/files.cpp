#include "cli/options/files.h"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "formats/files/file.h"
#include "formats/files/folder.h"
#include "formats/models/model_file.h"
#include "model/base/error.h"

namespace ltz::cli {
namespace {

namespace fs = std::filesystem;

// What `ltz` reads beside a checkpoint without being told: dictionaries of any language, merges,
// and the args of a state_dict.
std::vector<fs::path> companions(const fs::path& model) {
  std::vector<fs::path> found;
  std::error_code error;
  const fs::path folder = model.has_parent_path() ? model.parent_path() : fs::path(".");
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name == "bpe.codes" || name == "config.json" ||
        (name.starts_with("dict.") && name.ends_with(".txt"))) {
      found.push_back(entry->path());
    }
  }
  return found;
}

void require_one_standard_stream(const std::vector<fs::path>& files, const char* stream) {
  if (std::ranges::count(files, fs::path("-")) > 1) {
    throw CLI::ValidationError(fmt::format("standard {} can be used only once", stream));
  }
}

}  // namespace

Files& Files::reads(const std::string& path) {
  if (!path.empty()) {
    inputs_.emplace_back(path);
  }
  return *this;
}

Files& Files::reads(const ModelOptions& model) {
  for (const fs::path& path : companions(model.path)) {
    inputs_.push_back(path);
  }
  return reads(model.path).reads(model.vocabulary);
}

Files& Files::reads(const formats::VocabularyFiles& vocabulary) {
  return reads(vocabulary.source_dict.string())
      .reads(vocabulary.target_dict.string())
      .reads(vocabulary.bpe_codes.string());
}

Files& Files::reads(const TextOptions& text) {
  return reads(text.source).reads(text.reference);
}

Files& Files::reads(const ReportOptions& report) {
  return reads(report.text).reads(report.gates.baseline);
}

Files& Files::writes(const std::string& path) {
  if (!path.empty()) {
    outputs_.emplace_back(path);
  }
  return *this;
}

Files& Files::writes(const JsonOptions& json) {
  return writes(json.path);
}

Files& Files::writes(const ReportOptions& report) {
  return writes(report.json).writes(report.junit);
}

Files& Files::writes_model(const std::string& path) {
  formats::require_model_name(path);
  return writes(path);
}

Files& Files::writes_ltz(const std::string& path) {
  if (fs::path(path).extension() != ".ltz" && !formats::is_written_directly(path)) {
    throw ConfigError(path + ": expected a name that ends in .ltz");
  }
  return writes(path);
}

Files& Files::writes_folder(const std::string& path) {
  folders_.emplace_back(path);
  return *this;
}

void Files::check() const {
  require_one_standard_stream(inputs_, "input");
  require_one_standard_stream(outputs_, "output");
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    for (const fs::path& input : inputs_) {
      formats::require_different_files(input, outputs_[i]);
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (formats::same_file(outputs_[j], outputs_[i])) {
        throw ConfigError(
            fmt::format("{}: two outputs would be written to this file", outputs_[i].string()));
      }
    }
    formats::require_writable(outputs_[i]);
  }
  for (const fs::path& folder : folders_) {
    formats::require_new_folder(folder);
  }
}

}  // namespace ltz::cli
