#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/fairseq/vocabulary_files.h"
#include "formats/ltz/ltz.h"
#include "model/checkpoint/checkpoint.h"

namespace ltz::formats {

// A model and what its file says beyond it.
struct ModelFile {
  Checkpoint checkpoint;
  std::string container;                             // "pt", "h5", "safetensors" or "ltz"
  std::int64_t bytes = 0;                            // of the file
  std::optional<LtzSizes> sizes;                     // .ltz only
  std::map<std::string, std::int64_t> tensor_bytes;  // .ltz only: payload of each tensor
  Provenance made;                                   // .ltz and .h5: what made it, if it says so
};

// Reads a model from any container, which is recognised by content. vocabulary: the files are for
// checkpoints that have none inside, for others it is an error to name them; no_bpe is for all.
// Throws FormatError, ConfigError or IoError, naming the file.
ModelFile read_model(const std::filesystem::path& path, const VocabularyFiles& vocabulary);
// The same from the file's bytes; path: its name, for errors and for what is beside it.
ModelFile read_model(std::span<const std::byte> bytes, const std::filesystem::path& path,
                     const VocabularyFiles& vocabulary);

// What a name says: "h5" (.h5, .hdf5), "safetensors" or "ltz"; empty where it ends in none of them.
std::string container_of_name(const std::filesystem::path& path);

// container: one of these. made: for a .ltz or .h5.
std::vector<std::byte> encode_model(const Checkpoint& checkpoint, std::string_view container,
                                    const Provenance& made = {});

// Writes a model as its name says. made: as above. Throws ConfigError for a name that says
// nothing.
void write_model(const std::filesystem::path& path, const Checkpoint& checkpoint,
                 const Provenance& made = {});

}  // namespace ltz::formats
