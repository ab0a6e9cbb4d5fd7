#include "formats/fairseq/vocabulary_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "model/base/error.h"

namespace ltz::formats {
namespace {

constexpr std::string_view kJoiner = "@@";
constexpr std::string_view kWordEnd = "</w>";
constexpr std::string_view kSentencePieceSpace = "\xE2\x96\x81";

bool has(const Vocabulary& vocabulary, std::string_view word) {
  return vocabulary.id(word) != Vocabulary::kUnk;
}

// Whether so many words make the dictionary one of subwords. Those of trained models have thousands
// and about a third of them are; a small one may have some by chance.
bool is_much(std::size_t subwords, std::size_t words) {
  constexpr std::size_t kMany = 100;
  return subwords > 0 && (2 * subwords >= words || (subwords >= kMany && 5 * subwords >= words));
}

}  // namespace

void refuse_vocabulary_files(const VocabularyFiles& files, const std::string& model) {
  for (const auto& [option, given] :
       {std::pair("--source-dict", !files.source_dict.empty()),
        std::pair("--target-dict", !files.target_dict.empty()),
        std::pair("--bpe-codes", !files.bpe_codes.empty()),
        std::pair("--sentencepiece-model", !files.sentencepiece_model.empty()),
        std::pair("--bpe", !files.bpe.empty())}) {
    if (given) {
      throw ConfigError(model + ": " + option +
                        " is for checkpoints; this model does not take its vocabulary from files");
    }
  }
}

void require_one_segmentation(const VocabularyFiles& files) {
  const bool pieces = files.bpe == kSentencePiece;
  const bool codes = !files.bpe.empty() && !pieces;
  if ((pieces && !files.bpe_codes.empty()) || (codes && !files.sentencepiece_model.empty())) {
    throw ConfigError(fmt::format("--bpe {} and {}: expected one of them", files.bpe,
                                  pieces ? "--bpe-codes" : "--sentencepiece-model"));
  }
}

void fail_without_segmentation(std::string_view bpe) {
  const bool pieces = bpe == kSentencePiece;
  throw ConfigError(
      fmt::format("texts are segmented with {}, but there is no {}: name it with {}, or say "
                  "--no-bpe if texts are segmented already",
                  bpe, pieces ? "SentencePiece model" : "file of BPE codes",
                  pieces ? "--sentencepiece-model FILE" : "--bpe-codes FILE"));
}

void require_whole_words(const Vocabulary& source, const Vocabulary& target) {
  for (const auto& [side, vocabulary] :
       {std::pair("source", &source), std::pair("target", &target)}) {
    const auto& words = vocabulary->words();
    const auto subwords = static_cast<std::size_t>(
        std::ranges::count_if(words, [](const std::string& w) { return w.ends_with(kJoiner); }));
    const auto pieces = static_cast<std::size_t>(std::ranges::count_if(
        words, [](const std::string& w) { return w.starts_with(kSentencePieceSpace); }));
    if (is_much(pieces, words.size())) {
      throw ConfigError(
          fmt::format("{} of {} words of the {} dictionary begin with \"{}\", but there is no "
                      "SentencePiece model to make such pieces of a text: name it with "
                      "--sentencepiece-model, or say --no-bpe if texts are segmented already",
                      pieces, words.size(), side, kSentencePieceSpace));
    }
    if (is_much(subwords, words.size())) {
      throw ConfigError(
          fmt::format("{} of {} words of the {} dictionary end in \"@@\", but there are no BPE "
                      "codes to make such subwords of a text: name them with --bpe-codes, or say "
                      "--no-bpe if texts are segmented already",
                      subwords, words.size(), side));
    }
  }
}

double share_of_unknown_merges(const BpeMerges& merges, const Vocabulary& source,
                               const Vocabulary& target) {
  if (merges.empty()) {
    return 0.0;
  }
  const auto unknown = std::ranges::count_if(merges, [&](const auto& merge) {
    std::string word = merge.first + merge.second;
    if (word.ends_with(kWordEnd)) {
      word.resize(word.size() - kWordEnd.size());
    } else {
      word += kJoiner;
    }
    return !has(source, word) && !has(target, word);
  });
  return static_cast<double>(unknown) / static_cast<double>(merges.size());
}

}  // namespace ltz::formats
