#pragma once

#include <filesystem>

namespace ltz::formats {

// Where a checkpoint's vocabulary is. An empty path stands for dict.<source_lang>.txt,
// dict.<target_lang>.txt or bpe.codes in the checkpoint's folder; only bpe.codes may be missing
// there.
struct VocabularyFiles {
  std::filesystem::path source_dict;
  std::filesystem::path target_dict;
  std::filesystem::path bpe_codes;
};

}  // namespace ltz::formats
