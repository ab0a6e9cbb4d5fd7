#include "formats/models/model_file.h"

#include <utility>

#include "formats/fairseq/checkpoint_file.h"
#include "formats/fairseq/fairseq.h"
#include "formats/files/file.h"
#include "formats/files/mapped_file.h"
#include "formats/hdf5/hdf5.h"
#include "formats/safetensors/checkpoint.h"
#include "formats/safetensors/safetensors.h"
#include "model/base/error.h"

namespace ltz::formats {

ModelFile read_model(const std::filesystem::path& path, const VocabularyFiles& vocabulary) {
  // The larger part of a checkpoint may be the optimizer's: it need not come into memory.
  const MappedFile mapped(path);
  if (is_torch_checkpoint(mapped.bytes())) {
    return read_model(mapped.bytes(), path, vocabulary);
  }
  return read_model(read_file(path), path, vocabulary);
}

ModelFile read_model(std::span<const std::byte> bytes, const std::filesystem::path& path,
                     const VocabularyFiles& vocabulary) {
  const std::string name = path.string();
  ModelFile file;
  file.bytes = static_cast<std::int64_t>(bytes.size());
  if (is_ltz(bytes)) {
    refuse_vocabulary_files(vocabulary, name);
    file.container = "ltz";
    LtzFile ltz = read_ltz(bytes, name);
    file.checkpoint = std::move(ltz.checkpoint);
    file.sizes = ltz.sizes;
    file.tensor_bytes = std::move(ltz.tensor_bytes);
    file.made = std::move(ltz.made);
  } else if (is_hdf5(bytes)) {
    refuse_vocabulary_files(vocabulary, name);
    file.container = "h5";
    Hdf5File hdf5 = read_hdf5(bytes, name);
    file.checkpoint = std::move(hdf5.checkpoint);
    file.made = std::move(hdf5.made);
  } else if (is_torch_checkpoint(bytes)) {
    file.container = "pt";
    file.checkpoint = read_fairseq_checkpoint(bytes, path, vocabulary);
  } else if (is_safetensors(bytes)) {
    file.container = "safetensors";
    file.checkpoint = read_safetensors(bytes, path, vocabulary);
  } else {
    throw FormatError(name +
                      ": expected a fairseq checkpoint (.pt), .h5, .safetensors or .ltz, found " +
                      (bytes.empty() ? "an empty file" : "none of them"));
  }
  if (vocabulary.no_bpe) {
    file.checkpoint.merges.clear();
    file.checkpoint.sentencepiece.clear();
  }
  return file;
}

std::string container_of_name(const std::filesystem::path& path) {
  const std::string extension = path.extension().string();
  if (extension == ".h5" || extension == ".hdf5") {
    return "h5";
  }
  return extension == ".safetensors" || extension == ".ltz" ? extension.substr(1) : "";
}

std::vector<std::byte> encode_model(const Checkpoint& checkpoint, std::string_view container,
                                    const Provenance& made) {
  if (container == "ltz") {
    return encode_ltz(checkpoint, made);
  }
  return container == "safetensors" ? encode_safetensors(checkpoint)
                                    : encode_hdf5(checkpoint, made);
}

void write_model(const std::filesystem::path& path, const Checkpoint& checkpoint,
                 const Provenance& made) {
  const std::string container = container_of_name(path);
  if (container.empty()) {
    throw ConfigError(path.string() + ": expected a name that ends in .h5, .safetensors or .ltz");
  }
  write_file_atomically(path, encode_model(checkpoint, container, made));
}

}  // namespace ltz::formats
