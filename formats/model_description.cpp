#include "formats/model_description.h"

#include <filesystem>
#include <span>
#include <string_view>

#include "formats/file.h"
#include "formats/model_presets.h"
#include "formats/settings_file.h"
#include "model/context.h"

namespace ltz::formats {

ModelDescription describe_model(const std::string& name, const VocabularyFiles& vocabulary) {
  if (auto preset = preset_model(name); preset && !std::filesystem::exists(name)) {
    return {.config = *preset, .file = {}};
  }
  const std::vector<std::byte> bytes = read_file(name);
  if (is_settings_file(bytes)) {
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    const nlohmann::json settings = parse_settings(text, name);
    return {.config = in_context(name, [&] { return config_from_settings(settings); }), .file = {}};
  }
  ModelFile file = read_model(bytes, name, vocabulary);
  return {.config = file.checkpoint.config, .file = std::move(file)};
}

}  // namespace ltz::formats
