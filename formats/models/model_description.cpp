#include "formats/models/model_description.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <span>
#include <string_view>

#include "formats/fairseq/checkpoint_file.h"
#include "formats/fairseq/model_presets.h"
#include "formats/fairseq/settings_file.h"
#include "formats/files/file.h"
#include "formats/files/mapped_file.h"
#include "model/base/context.h"
#include "model/base/error.h"

namespace ltz::formats {
namespace {

std::vector<std::byte> read_named(const std::string& name) {
  if (!std::filesystem::exists(name) && name != "-") {
    throw IoError(fmt::format("{}: No such file or directory, nor is it one of the presets {}",
                              name, fmt::join(preset_model_names(), ", ")));
  }
  return read_file(name);
}

}  // namespace

ModelDescription describe_model(const std::string& name, const VocabularyFiles& vocabulary) {
  if (const auto preset = preset_model(name)) {
    refuse_vocabulary_files(vocabulary, name);
    return {.config = *preset, .file = {}};
  }
  const auto described = [](ModelFile file) {
    return ModelDescription{.config = file.checkpoint.config, .file = std::move(file)};
  };
  if (const MappedFile mapped(name); is_torch_checkpoint(mapped.bytes())) {
    return described(read_model(mapped.bytes(), name, vocabulary));
  }
  const std::vector<std::byte> bytes = read_named(name);
  if (is_short_text(bytes)) {
    refuse_vocabulary_files(vocabulary, name);
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    // More to the point than where it is no YAML.
    if (text.find("arch") == std::string_view::npos) {
      throw FormatError(name + ": " + kNoArchitecture);
    }
    const nlohmann::json settings = parse_settings(text, name);
    return {.config = in_context(name, [&] { return config_from_settings(settings); }), .file = {}};
  }
  return described(read_model(bytes, name, vocabulary));
}

}  // namespace ltz::formats
