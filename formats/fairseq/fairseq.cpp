#include "formats/fairseq/fairseq.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <utility>

#include "formats/fairseq/dictionary.h"
#include "formats/fairseq/weights.h"
#include "formats/files/file.h"
#include "model/base/context.h"
#include "model/base/error.h"
#include "model/checkpoint/bands.h"
#include "model/text/sentence_piece_model.h"

namespace ltz::formats {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kMaxRows = 1 << 30;

int embedding_rows(const TorchTensors& tensors, const std::string& name) {
  const auto found = tensors.find(name);
  if (found == tensors.end()) {
    throw ConfigError("tensor " + name + " is missing");
  }
  const Shape& shape = found->second.shape;
  if (shape.size() != 2 || shape[0] < 1 || shape[0] > kMaxRows) {
    throw ConfigError("tensor " + name + ": expected (entries, channels), found " +
                      ltz::to_string(shape));
  }
  return static_cast<int>(shape[0]);
}

// Rows of the tables of all bands, one table in each; or of the only one.
int decoder_vocabulary_size(const TorchTensors& tensors, const ModelConfig& config) {
  if (config.adaptive_input.cutoffs.empty()) {
    return embedding_rows(tensors, "decoder.embed_tokens.weight");
  }
  std::int64_t rows = 0;
  for (std::size_t band = 0; band == 0 || tensors.contains(input_table(band)); ++band) {
    rows += embedding_rows(tensors, input_table(band));
  }
  return static_cast<int>(std::min<std::int64_t>(rows, kMaxRows));
}

// fairseq pads a dictionary to a multiple of 8 after it was counted; depending on the tool that
// wrote the file, those entries are in it or not.
Vocabulary padded(Vocabulary vocabulary, int rows) {
  const int missing = rows - vocabulary.size();
  if (missing <= 0 || missing >= 8 || rows % 8 != 0) {
    return vocabulary;
  }
  std::vector<std::string> words = vocabulary.words();
  for (int i = 0; i < missing; ++i) {
    words.push_back(fmt::format("madeupword{:04}", i));
  }
  return Vocabulary(std::move(words));
}

fs::path folder_of(const fs::path& file) {
  return file.has_parent_path() ? file.parent_path() : fs::path(".");
}

Vocabulary read_dictionary_at(const fs::path& path, const std::string& option) {
  try {
    return parse_dictionary(read_text_file(path), path.string());
  } catch (const IoError& error) {
    throw IoError(fmt::format("{}; name the dictionary with {}", error.what(), option));
  }
}

// given: the path from the command line, or empty.
Vocabulary read_dictionary(const fs::path& given, const fs::path& checkpoint,
                           const std::string& language, const std::string& option) {
  if (!given.empty()) {
    return parse_dictionary(read_text_file(given), given.string());
  }
  // The language comes from the checkpoint: it must not lead out of the folder.
  if (language.empty() || language.find_first_of(std::string_view("/\0", 2)) != std::string::npos) {
    throw ConfigError(
        fmt::format("{}: the checkpoint does not name its languages; name the dictionary with {}",
                    checkpoint.string(), option));
  }
  return read_dictionary_at(folder_of(checkpoint) / ("dict." + language + ".txt"), option);
}

Vocabulary read_language_model_dictionary(const VocabularyFiles& files,
                                          const fs::path& checkpoint) {
  if (!files.source_dict.empty()) {
    throw ConfigError(checkpoint.string() +
                      ": --source-dict is for translation models; a language model has one "
                      "dictionary, --dict");
  }
  if (!files.target_dict.empty()) {
    return parse_dictionary(read_text_file(files.target_dict), files.target_dict.string());
  }
  return read_dictionary_at(folder_of(checkpoint) / "dict.txt", "--dict");
}

// Of the command line, or of what the folder has under one of these names.
std::optional<fs::path> find_file(const fs::path& given, const fs::path& folder,
                                  std::initializer_list<const char*> names) {
  if (!given.empty()) {
    return given;
  }
  for (const char* name : names) {
    if (fs::exists(folder / name)) {
      return folder / name;
    }
  }
  return std::nullopt;
}

struct Words {
  Vocabulary source;
  Vocabulary target;
  BpeMerges merges;
  std::string sentencepiece;
};

// Some merges lead on to others and have no word of their own; more than this makes one ask
// whether the codes are those of the dictionaries.
constexpr double kUsualUnknownMerges = 0.05;

void read_merges(const fs::path& codes, const VocabularyFiles& files, Words& words) {
  words.merges = parse_bpe_codes(read_text_file(codes), codes.string(), files.bpe);
  const double unknown = share_of_unknown_merges(words.merges, words.source, words.target);
  if (files.warn && unknown > kUsualUnknownMerges) {
    files.warn(fmt::format(
        "{}: {:.1f}% of the merges make what is in no dictionary; are these codes the model's?",
        codes.string(), 100.0 * unknown));
  }
}

void read_sentencepiece(const fs::path& model, Words& words) {
  words.sentencepiece = read_text_file(model);
  in_context(model.string(), [&] { parse_sentence_piece_model(words.sentencepiece); });
}

bool names_sentencepiece(const nlohmann::json& args) {
  const auto bpe = args.find("bpe");
  return bpe != args.end() && *bpe == kSentencePiece;
}

// args: of the checkpoint.
void read_segmentation(const fs::path& checkpoint, const nlohmann::json& args,
                       const VocabularyFiles& files, Words& words) {
  const fs::path folder = folder_of(checkpoint);
  require_one_segmentation(files);
  if (files.bpe != kSentencePiece && files.sentencepiece_model.empty()) {
    if (const auto codes = find_file(files.bpe_codes, folder, {"bpe.codes", "bpecodes"})) {
      return read_merges(*codes, files, words);
    }
  }
  if (files.bpe == kSentencePiece || files.bpe.empty()) {
    if (const auto model =
            find_file(files.sentencepiece_model, folder, {"sentencepiece.bpe.model"})) {
      return read_sentencepiece(*model, words);
    }
  }
  in_context(checkpoint.string(), [&] {
    if (!files.bpe.empty() || names_sentencepiece(args)) {
      fail_without_segmentation(files.bpe.empty() ? kSentencePiece : files.bpe);
    }
    require_whole_words(words.source, words.target);
  });
}

// config: of the checkpoint's args.
Checkpoint checkpoint_of(ModelConfig config, TorchTensors tensors, Words words) {
  apply_versions(tensors, config);
  drop_buffers(tensors);
  upgrade_names(tensors, config);
  merge_tied(tensors, config);
  if (!is_language_model(config)) {
    config.source_vocabulary_size = embedding_rows(tensors, "encoder.embed_tokens.weight");
  }
  config.target_vocabulary_size = config.share_all_embeddings
                                      ? config.source_vocabulary_size
                                      : decoder_vocabulary_size(tensors, config);
  validate(config);
  reshape_kernels(tensors, config);
  Checkpoint checkpoint;
  for (auto& [name, tensor] : tensors) {
    checkpoint.tensors.emplace(name, tensor_from_torch(name, std::move(tensor)));
  }
  checkpoint.source_vocabulary = padded(std::move(words.source), config.source_vocabulary_size);
  checkpoint.target_vocabulary = padded(std::move(words.target), config.target_vocabulary_size);
  checkpoint.merges = std::move(words.merges);
  checkpoint.sentencepiece = std::move(words.sentencepiece);
  checkpoint.config = std::move(config);
  validate(checkpoint);
  return checkpoint;
}

}  // namespace

Tensor tensor_from_torch(const std::string& name, TorchTensor tensor) {
  Precision precision = Precision::kFloat32;
  switch (tensor.type) {
    case TorchType::kInt64:
    case TorchType::kInt32:
      throw ConfigError("tensor " + name + ": expected floats, found integers");
    case TorchType::kFloat16:
      precision = Precision::kFloat16;
      break;
    case TorchType::kBFloat16:
      precision = Precision::kBFloat16;
      break;
    default:
      break;
  }
  return dense_tensor(std::move(tensor.shape), std::move(tensor.floats), precision);
}

Checkpoint checkpoint_from_torch(TorchCheckpoint torch, Vocabulary source, Vocabulary target,
                                 BpeMerges merges, const std::string& name) {
  return in_context(name, [&] {
    return checkpoint_of(config_from_args(torch.args), std::move(torch.tensors),
                         {std::move(source), std::move(target), std::move(merges), {}});
  });
}

Checkpoint checkpoint_with_dictionaries(TorchCheckpoint torch, const fs::path& path,
                                        const VocabularyFiles& vocabulary) {
  const std::string name = path.string();
  ModelConfig config = in_context(name, [&] { return config_from_args(torch.args); });
  Words words;
  if (is_language_model(config)) {
    words.target = read_language_model_dictionary(vocabulary, path);
  } else {
    words.source =
        read_dictionary(vocabulary.source_dict, path, config.source_lang, "--source-dict");
    words.target =
        read_dictionary(vocabulary.target_dict, path, config.target_lang, "--target-dict");
  }
  if (!vocabulary.no_bpe) {
    read_segmentation(path, torch.args, vocabulary, words);
  }
  return in_context(name, [&] {
    return checkpoint_of(std::move(config), std::move(torch.tensors), std::move(words));
  });
}

Checkpoint read_fairseq_checkpoint(std::span<const std::byte> bytes, const fs::path& path,
                                   const VocabularyFiles& vocabulary) {
  return checkpoint_with_dictionaries(read_torch_checkpoint(bytes, path.string()), path,
                                      vocabulary);
}

Checkpoint read_fairseq_checkpoint(const fs::path& path, const VocabularyFiles& vocabulary) {
  return read_fairseq_checkpoint(read_file(path), path, vocabulary);
}

}  // namespace ltz::formats
