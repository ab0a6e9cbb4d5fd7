#pragma once

#include <filesystem>
#include <string>

namespace ltz::formats {

// Where a checkpoint's vocabulary is. An empty path stands for dict.<source_lang>.txt,
// dict.<target_lang>.txt or bpe.codes in the checkpoint's folder; only bpe.codes may be missing
// there.
struct VocabularyFiles {
  std::filesystem::path source_dict;
  std::filesystem::path target_dict;
  std::filesystem::path bpe_codes;
};

// For a model with a vocabulary of its own, or with none: throws ConfigError, naming the model and
// the command line's option, when a file is given that nobody would read.
void refuse_vocabulary_files(const VocabularyFiles& files, const std::string& model);

}  // namespace ltz::formats
