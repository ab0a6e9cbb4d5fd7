#include <utility>

#include "formats/bytes/bytes.h"
#include "formats/bytes/config_json.h"
#include "formats/bytes/tensor_checks.h"
#include "formats/bytes/word_list.h"
#include "formats/ltz/block.h"
#include "formats/ltz/index.h"
#include "formats/ltz/ltz.h"
#include "formats/ltz/payload.h"
#include "formats/ltz/sections.h"
#include "model/base/context.h"
#include "model/base/parallel.h"

namespace ltz::formats {
namespace {

// Kinds and lengths are still to come, with the payloads.
std::vector<IndexEntry> checked_entries(const Checkpoint& checkpoint) {
  const auto tables = embedding_names(checkpoint.config);
  std::vector<IndexEntry> entries;
  for (const auto& [name, tensor] : checkpoint.tensors) {
    in_context("tensor " + name, [&tensor = tensor] { check_tensor(tensor); });
    entries.push_back({name, tensor.shape, {}, tables.contains(name), 0});
  }
  return entries;
}

}  // namespace

std::vector<std::byte> encode_ltz(const Checkpoint& checkpoint, const Provenance& made) {
  validate(checkpoint);
  std::vector<IndexEntry> entries = checked_entries(checkpoint);

  std::vector<Payload> payloads(entries.size());
  parallel_for(entries.size(), [&](std::size_t i) {
    payloads[i] = encode_payload(checkpoint.tensors.at(entries[i].name));
  });
  std::vector<std::byte> embedding;
  std::vector<std::byte> data;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    entries[i].kind = payloads[i].kind;
    entries[i].length = payloads[i].bytes.size();
    put_bytes(entries[i].table ? embedding : data, payloads[i].bytes);
  }

  std::vector<Section> sections;
  const auto add = [&](std::string_view tag, std::vector<std::byte> content) {
    sections.push_back({std::string(tag), std::move(content)});
  };
  add(kConfigSection, pack_block(config_text(checkpoint.config)));
  const auto add_words = [&](std::string_view tag, const Vocabulary& vocabulary) {
    add(tag, pack_block(join_lines(vocabulary.words())));
  };
  if (is_language_model(checkpoint.config)) {
    add_words(kLanguageSection, checkpoint.target_vocabulary);
  } else {
    add_words(kSourceSection, checkpoint.source_vocabulary);
    if (checkpoint.target_vocabulary != checkpoint.source_vocabulary) {
      add_words(kTargetSection, checkpoint.target_vocabulary);
    }
  }
  if (!checkpoint.merges.empty()) {
    add(kMergesSection, pack_block(join_lines(merge_lines(checkpoint.merges))));
  }
  if (!checkpoint.sentencepiece.empty()) {
    add(kPiecesSection, pack_block(checkpoint.sentencepiece));
  }
  add(kIndexSection, pack_block(encode_index(entries)));
  add(kEmbeddingSection, std::move(embedding));
  add(kDataSection, std::move(data));
  if (!made.empty()) {
    add(kMadeSection, pack_block(provenance_text(made)));
  }
  std::vector<std::byte> bytes = write_sections(sections);
  check_elements(entries, max_elements(bytes.size()));
  return bytes;
}

}  // namespace ltz::formats
