#include "formats/fairseq/vocabulary_files.h"

#include <utility>

#include "model/base/error.h"

namespace ltz::formats {

void refuse_vocabulary_files(const VocabularyFiles& files, const std::string& model) {
  for (const auto& [option, path] : {std::pair("--source-dict", &files.source_dict),
                                     std::pair("--target-dict", &files.target_dict),
                                     std::pair("--bpe-codes", &files.bpe_codes)}) {
    if (!path->empty()) {
      throw ConfigError(model + ": " + option +
                        " is for checkpoints; this model does not take its vocabulary from files");
    }
  }
}

}  // namespace ltz::formats
