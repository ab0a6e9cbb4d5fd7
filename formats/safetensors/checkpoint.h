#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <vector>

#include "formats/fairseq/vocabulary_files.h"
#include "model/checkpoint/checkpoint.h"

namespace ltz::formats {

// A model as plain floats for PyTorch and everything else that reads safetensors, with the rest of
// the checkpoint in the file's metadata. SAFETENSORS.md, beside this file, says what is where.

// The same checkpoint gives the same bytes. Codebooks become the floats that they stand for.
// Throws ConfigError for a checkpoint that validate() refuses, FormatError for a tensor that cannot
// be stored exactly and for words that are not UTF-8.
std::vector<std::byte> encode_safetensors(const Checkpoint& checkpoint);

// Reads what encode_safetensors() wrote. A file without its metadata is a fairseq state_dict: its
// args are taken from config.json in the file's folder, its dictionaries as those of a .pt.
// path: of the file, for messages and the folder. Throws FormatError, ConfigError or IoError.
Checkpoint read_safetensors(std::span<const std::byte> bytes, const std::filesystem::path& path,
                            const VocabularyFiles& vocabulary);

}  // namespace ltz::formats
