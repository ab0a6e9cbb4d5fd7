#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "formats/bytes/base64.h"
#include "formats/bytes/config_json.h"
#include "formats/bytes/word_list.h"
#include "formats/fairseq/fairseq.h"
#include "formats/fairseq/settings_file.h"
#include "formats/fairseq/weights.h"
#include "formats/files/file.h"
#include "formats/safetensors/checkpoint.h"
#include "formats/safetensors/metadata.h"
#include "formats/safetensors/safetensors.h"
#include "formats/safetensors/values.h"
#include "model/base/context.h"
#include "model/base/error.h"

namespace ltz::formats {
namespace {

namespace fs = std::filesystem;

TorchTensors decode_tensors(const SafetensorsFile& file) {
  TorchTensors tensors;
  for (const auto& [name, view] : file.tensors) {
    tensors.emplace(name, decode_view(name, view));
  }
  return tensors;
}

const std::string& metadata_at(const SafetensorsFile& file, const char* key) {
  const auto found = file.metadata.find(key);
  if (found == file.metadata.end()) {
    throw FormatError(fmt::format("metadata {} is missing", key));
  }
  return found->second;
}

Vocabulary read_vocabulary(const SafetensorsFile& file, const char* key, int entries) {
  return in_context(fmt::format("metadata {}", key),
                    [&] { return vocabulary_from_lines(metadata_at(file, key), entries); });
}

// A file that ltz wrote: everything is inside.
Checkpoint own_checkpoint(const SafetensorsFile& file) {
  const std::string& version = metadata_at(file, safetensors_keys::kVersion);
  if (version != kSafetensorsVersion && version != kSafetensorsVersionWithPieces &&
      version != kSafetensorsLanguageVersion) {
    throw FormatError(fmt::format(
        "written by another ltz: expected {} {}, {} or {}, found {}", safetensors_keys::kVersion,
        kSafetensorsVersion, kSafetensorsVersionWithPieces, kSafetensorsLanguageVersion, version));
  }
  Checkpoint checkpoint;
  checkpoint.config = config_from_text(metadata_at(file, safetensors_keys::kConfig));
  validate(checkpoint.config);
  const ModelConfig& config = checkpoint.config;
  if ((version == kSafetensorsLanguageVersion) != is_language_model(config)) {
    throw FormatError(fmt::format("{}: expected {} exactly for a language model, found {}",
                                  safetensors_keys::kVersion, kSafetensorsLanguageVersion,
                                  version));
  }
  if (!is_language_model(config)) {
    checkpoint.source_vocabulary =
        read_vocabulary(file, safetensors_keys::kSource, config.source_vocabulary_size);
  }
  checkpoint.target_vocabulary =
      file.metadata.contains(safetensors_keys::kTarget)
          ? read_vocabulary(file, safetensors_keys::kTarget, config.target_vocabulary_size)
          : checkpoint.source_vocabulary;
  if (file.metadata.contains(safetensors_keys::kMerges)) {
    checkpoint.merges = in_context(fmt::format("metadata {}", safetensors_keys::kMerges), [&] {
      return merges_from_lines(split_lines(metadata_at(file, safetensors_keys::kMerges)));
    });
  }
  if (version == kSafetensorsVersionWithPieces ||
      file.metadata.contains(safetensors_keys::kSentencePiece)) {
    checkpoint.sentencepiece = in_context(
        fmt::format("metadata {}", safetensors_keys::kSentencePiece),
        [&] { return from_base64(metadata_at(file, safetensors_keys::kSentencePiece)); });
  }
  TorchTensors tensors = decode_tensors(file);
  drop_buffers(tensors);
  for (auto& [name, tensor] : tensors) {
    checkpoint.tensors.emplace(canonical_name(checkpoint.config, name),
                               tensor_from_torch(name, std::move(tensor)));
  }
  validate(checkpoint);
  return checkpoint;
}

// What fairseq calls args, as json.dump(vars(args)) writes it.
nlohmann::json read_args_beside(const fs::path& path) {
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  const fs::path config = folder / "config.json";
  std::string text;
  try {
    text = read_text_file(config);
  } catch (const IoError& error) {
    throw IoError(
        fmt::format("no \"{}\" in its metadata, so the fairseq args of the model are "
                    "expected beside it as a JSON object: {}",
                    safetensors_keys::kVersion, error.what()));
  }
  return parse_settings(text, config.string());
}

}  // namespace

Checkpoint read_safetensors(std::span<const std::byte> bytes, const fs::path& path,
                            const VocabularyFiles& vocabulary) {
  const std::string name = path.string();
  const SafetensorsFile file = in_context(name, [&] { return parse_safetensors(bytes); });
  if (file.metadata.contains(safetensors_keys::kVersion)) {
    refuse_vocabulary_files(vocabulary, name);
    return in_context(name, [&] { return own_checkpoint(file); });
  }
  TorchCheckpoint torch = in_context(name, [&] {
    return TorchCheckpoint{read_args_beside(path), decode_tensors(file)};
  });
  return checkpoint_with_dictionaries(std::move(torch), path, vocabulary);
}

}  // namespace ltz::formats
