#include "cli/options/files.h"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "formats/files/file.h"
#include "formats/files/folder.h"
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
    if (name == "bpe.codes" || name == "bpecodes" || name == "sentencepiece.bpe.model" ||
        name == "config.json" || (name.starts_with("dict.") && name.ends_with(".txt"))) {
      found.push_back(entry->path());
    }
  }
  return found;
}

void require_one_standard_stream(std::ptrdiff_t uses, const char* stream) {
  if (uses > 1) {
    throw CLI::ValidationError(fmt::format("standard {} can be used only once", stream));
  }
}

// Of the file of a model.
formats::FileKind model_kind(const std::string& container) {
  return container == "ltz"           ? formats::FileKind::kLtz
         : container == "safetensors" ? formats::FileKind::kSafetensors
                                      : formats::FileKind::kHdf5;
}

bool any_may_be_replaced = false;

void require_replaceable(const fs::path& path, formats::FileKind kind) {
  if (kind == formats::FileKind::kNothing || any_may_be_replaced) {
    return;
  }
  const formats::FileKind found = formats::kind_of(path);
  if (found != formats::FileKind::kNothing && found != kind) {
    throw ConfigError(
        fmt::format("{}: is {} and would be replaced by {}; choose another name, or --force",
                    path.string(), formats::describe(found), formats::describe(kind)));
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
      .reads(vocabulary.bpe_codes.string())
      .reads(vocabulary.sentencepiece_model.string());
}

Files& Files::reads(const TextOptions& text) {
  return reads(text.source).reads(text.reference).reads(text.text);
}

Files& Files::reads(const ReportOptions& report) {
  return reads(report.text).reads(report.gates.baseline).reads(report.previous);
}

Files& Files::writes(const std::string& path, formats::FileKind kind) {
  if (!path.empty()) {
    outputs_.push_back({path, kind});
  }
  return *this;
}

Files& Files::writes(const std::string& path) {
  return writes(path, formats::FileKind::kNothing);
}

Files& Files::writes_text(const std::string& path) {
  return writes(path, formats::FileKind::kText);
}

Files& Files::writes(const JsonOptions& json) {
  return writes(json.path, formats::FileKind::kJson);
}

Files& Files::writes(const ReportOptions& report) {
  return writes(report.json).writes(report.junit, formats::FileKind::kXml);
}

Files& Files::writes(const ModelOutput& model) {
  refuse_terminal(model.path);
  return writes(model.path, model_kind(model.container()));
}

Files& Files::writes_ltz(const std::string& path) {
  if (fs::path(path).extension() != ".ltz" && !formats::is_written_directly(path)) {
    throw ConfigError(path + ": expected a name that ends in .ltz");
  }
  refuse_terminal(path);
  return writes(path, formats::FileKind::kLtz);
}

Files& Files::writes_folder(const std::string& path) {
  folders_.emplace_back(path);
  return *this;
}

void Files::check() const {
  require_one_standard_stream(std::ranges::count(inputs_, fs::path("-")), "input");
  require_one_standard_stream(std::ranges::count(outputs_, fs::path("-"), &Output::path), "output");
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    const auto& [output, kind] = outputs_[i];
    for (const fs::path& input : inputs_) {
      formats::require_different_files(input, output);
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (formats::same_file(outputs_[j].path, output)) {
        throw ConfigError(
            fmt::format("{}: two outputs would be written to this file", output.string()));
      }
    }
    require_replaceable(output, kind);
    formats::require_writable(output);
  }
  for (const fs::path& folder : folders_) {
    formats::require_new_folder(folder);
  }
}

void Files::replace_any() {
  any_may_be_replaced = true;
}

}  // namespace ltz::cli
