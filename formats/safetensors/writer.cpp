#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "formats/bytes/base64.h"
#include "formats/bytes/bytes.h"
#include "formats/bytes/config_json.h"
#include "formats/bytes/tensor_checks.h"
#include "formats/bytes/utf8.h"
#include "formats/bytes/word_list.h"
#include "formats/fairseq/weights.h"
#include "formats/safetensors/checkpoint.h"
#include "formats/safetensors/header.h"
#include "formats/safetensors/metadata.h"
#include "formats/safetensors/safetensors.h"
#include "formats/safetensors/values.h"
#include "model/base/context.h"

namespace ltz::formats {
namespace {

Precision precision_of(const Tensor& tensor) {
  const auto* dense = std::get_if<DenseValues>(&tensor.data);
  return dense == nullptr ? Precision::kFloat32 : dense->precision;
}

std::size_t byte_count(const Tensor& tensor) {
  return static_cast<std::size_t>(tensor.size() * bits_of(precision_of(tensor)) / 8);
}

// fairseq takes a state_dict without versions for one of its first, whose pre-norm models had no
// LayerNorm after the last layer, and drops that one.
Tensor version_of(const StackConfig& stack) {
  const bool first = stack.normalize_before && !stack.final_norm;
  return dense_tensor({1}, {first ? 1.0f : 3.0f});
}

std::string text_of(const std::string& what, const std::vector<std::string>& lines) {
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (!is_valid_utf8(lines[i])) {
      throw FormatError(fmt::format(
          "{}: entry {} is not UTF-8, as it has to be in a .safetensors file", what, i));
    }
  }
  return join_lines(lines);
}

std::map<std::string, std::string> metadata_of(const Checkpoint& checkpoint) {
  const bool pieces = !checkpoint.sentencepiece.empty();
  const bool language = is_language_model(checkpoint.config);
  // "format" is what the transformers library asks for.
  std::map<std::string, std::string> metadata = {
      {"format", "pt"},
      {safetensors_keys::kVersion, language ? kSafetensorsLanguageVersion
                                   : pieces ? kSafetensorsVersionWithPieces
                                            : kSafetensorsVersion},
      {safetensors_keys::kConfig, config_text(checkpoint.config)}};
  if (!language) {
    metadata[safetensors_keys::kSource] =
        text_of("source vocabulary", checkpoint.source_vocabulary.words());
  }
  if (checkpoint.target_vocabulary != checkpoint.source_vocabulary) {
    metadata[safetensors_keys::kTarget] =
        text_of("target vocabulary", checkpoint.target_vocabulary.words());
  }
  if (!checkpoint.merges.empty()) {
    metadata[safetensors_keys::kMerges] = text_of("merges", merge_lines(checkpoint.merges));
  }
  if (pieces) {
    metadata[safetensors_keys::kSentencePiece] = base64(checkpoint.sentencepiece);
  }
  return metadata;
}

using NamedTensor = std::pair<std::string, const Tensor*>;

// One tensor behind the other.
SafetensorsHeader header_of(const Checkpoint& checkpoint, const std::vector<NamedTensor>& tensors) {
  SafetensorsHeader header{.metadata = metadata_of(checkpoint)};
  std::int64_t offset = 0;
  for (const auto& [name, tensor] : tensors) {
    const std::int64_t end = offset + static_cast<std::int64_t>(byte_count(*tensor));
    header.tensors[name] = {dtype_of(precision_of(*tensor)), tensor->shape, offset, end};
    offset = end;
  }
  return header;
}

}  // namespace

std::vector<std::byte> encode_safetensors(const Checkpoint& checkpoint) {
  validate(checkpoint);
  const Tensor encoder_version = version_of(checkpoint.config.encoder);
  const Tensor decoder_version = version_of(checkpoint.config.decoder);
  std::vector<NamedTensor> tensors = {{"decoder.version", &decoder_version}};
  if (!is_language_model(checkpoint.config)) {
    tensors.emplace_back("encoder.version", &encoder_version);
  }
  for (const auto& [name, tensor] : checkpoint.tensors) {
    in_context("tensor " + name, [&, &checked = tensor] { check_tensor(checked); });
    tensors.emplace_back(fairseq_name(checkpoint.config, name), &tensor);
  }
  // The wide elements first, so that all are at multiples of their size.
  std::ranges::sort(tensors, {}, [](const NamedTensor& entry) {
    return std::pair(-bits_of(precision_of(*entry.second)), std::string_view(entry.first));
  });

  const std::string header = safetensors_header_text(header_of(checkpoint, tensors));
  std::vector<std::byte> bytes;
  std::size_t size = kSafetensorsLengthBytes + header.size();
  for (const auto& [name, tensor] : tensors) {
    size += byte_count(*tensor);
  }
  bytes.reserve(size);
  put_integer(bytes, static_cast<std::uint64_t>(header.size()));
  put_bytes(bytes, std::as_bytes(std::span(header)));
  for (const auto& [name, tensor] : tensors) {
    put_values(bytes, tensor->values(), precision_of(*tensor));
  }
  return bytes;
}

}  // namespace ltz::formats
