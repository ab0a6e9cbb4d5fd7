#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "formats/ltz.h"
#include "formats/vocabulary_files.h"
#include "model/checkpoint.h"

namespace ltz::formats {

// A model and what its file says beyond it.
struct ModelFile {
  Checkpoint checkpoint;
  std::string container;                             // "pt", "h5" or "ltz"
  std::int64_t bytes = 0;                            // of the file
  std::optional<LtzSizes> sizes;                     // .ltz only
  std::map<std::string, std::int64_t> tensor_bytes;  // .ltz only: payload of each tensor
};

// Reads a model from any container, which is recognised by content. vocabulary: for checkpoints
// that have none inside. Throws FormatError, ConfigError or IoError, naming the file.
ModelFile read_model(const std::filesystem::path& path, const VocabularyFiles& vocabulary);

// Writes a model as OUT's name says: .h5 or .hdf5, or .ltz. Throws ConfigError for other names.
void write_model(const std::filesystem::path& path, const Checkpoint& checkpoint);

}  // namespace ltz::formats
