#pragma once

#include <optional>
#include <string>

#include "formats/models/model_file.h"

namespace ltz::formats {

// What is known of a model, which may be no more than its hyper-parameters.
struct ModelDescription {
  ModelConfig config;
  std::optional<ModelFile> file;
};

// name: of a preset (model_presets.h), of a file of settings (settings_file.h) or of a model file.
// A preset's name is never taken for a file: what it means must not depend on the folder one is in.
// Throws FormatError, ConfigError or IoError, naming the file.
ModelDescription describe_model(const std::string& name, const VocabularyFiles& vocabulary);

}  // namespace ltz::formats
