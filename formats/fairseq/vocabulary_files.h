#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "model/text/bpe.h"
#include "model/text/vocabulary.h"

namespace ltz::formats {

// Where a checkpoint's vocabulary is. An empty path stands for dict.<source_lang>.txt,
// dict.<target_lang>.txt, and bpe.codes, bpecodes or sentencepiece.bpe.model in the checkpoint's
// folder; only what segments may be missing there.
struct VocabularyFiles {
  std::filesystem::path source_dict;
  std::filesystem::path target_dict;
  std::filesystem::path bpe_codes;
  std::filesystem::path sentencepiece_model;
  // What segments, as fairseq's --bpe: "subword_nmt", "fastbpe" or "sentencepiece". Empty: what the
  // files say.
  std::string bpe;
  // Texts are segmented already: nothing segments them, even if the folder, or a file with a
  // vocabulary of its own, has what could.
  bool no_bpe = false;
  // Called with what is odd about them, but no error. May be empty.
  std::function<void(const std::string& warning)> warn = {};
};

// What VocabularyFiles::bpe and fairseq's own settings call it.
inline constexpr std::string_view kSentencePiece = "sentencepiece";

// Throws ConfigError when `bpe` is not what the file that is named is for.
void require_one_segmentation(const VocabularyFiles& files);

// For texts that `bpe`, as above, must segment, but that there is no file for: throws ConfigError,
// naming the option.
[[noreturn]] void fail_without_segmentation(std::string_view bpe);

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
