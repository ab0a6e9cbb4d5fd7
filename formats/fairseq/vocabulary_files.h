#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "model/text/bpe.h"
#include "model/text/vocabulary.h"

namespace ltz::formats {

// Where a checkpoint's vocabulary is. An empty path stands for dict.<source_lang>.txt,
// dict.<target_lang>.txt, and bpe.codes or bpecodes in the checkpoint's folder; only the codes may
// be missing there.
struct VocabularyFiles {
  std::filesystem::path source_dict;
  std::filesystem::path target_dict;
  std::filesystem::path bpe_codes;
  // Texts are segmented already: there are no merges, even if the folder, or a file with a
  // vocabulary of its own, has some.
  bool no_bpe = false;
  // Called with what is odd about them, but no error. May be empty.
  std::function<void(const std::string& warning)> warn = {};
};

// For a model with a vocabulary of its own, or with none: throws ConfigError, naming the model and
// the command line's option, when a file is given that nobody would read.
void refuse_vocabulary_files(const VocabularyFiles& files, const std::string& model);

// Without merges, every word of a text would be looked up whole. Throws ConfigError when half of
// the words of either dictionary, or a fifth if these are a hundred, end in "@@" or begin with the
// space of SentencePiece, so that they are subwords.
void require_whole_words(const Vocabulary& source, const Vocabulary& target);

// The share of merges whose result is in neither dictionary, as a subword or as the end of a word.
// Those that were learned with the dictionaries leave out some per cent: what is always merged on.
double share_of_unknown_merges(const BpeMerges& merges, const Vocabulary& source,
                               const Vocabulary& target);

}  // namespace ltz::formats
