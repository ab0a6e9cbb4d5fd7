#include <algorithm>
#include <functional>
#include <numeric>
#include <utility>

#include "formats/bytes/bytes.h"
#include "formats/bytes/config_json.h"
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

// A section that is known to be there.
std::span<const std::byte> content(std::span<const SectionView> sections, std::string_view tag) {
  return find_section(sections, tag)->content;
}

// use: called with the text that a section holds, packed.
template <typename Use>
auto with_text(const SectionView& section, Use use) {
  return in_context("section " + section.tag, [&] {
    const auto raw = unpack_block(section.content);
    return use(std::string_view(reinterpret_cast<const char*>(raw.data()), raw.size()));
  });
}

ModelConfig read_config(const SectionView& section) {
  ModelConfig config = with_text(section, config_from_text);
  validate(config);
  return config;
}

Vocabulary read_vocabulary(const SectionView& section, int entries) {
  return with_text(section,
                   [&](std::string_view text) { return vocabulary_from_lines(text, entries); });
}

BpeMerges read_merges(const SectionView& section) {
  return with_text(section,
                   [](std::string_view text) { return merges_from_lines(split_lines(text)); });
}

struct PlacedPayload {
  IndexEntry entry;
  std::span<const std::byte> bytes;
};

// Cuts EMBD and DATA into payloads, one after the other in the order of the index.
std::vector<PlacedPayload> place_payloads(std::span<const SectionView> sections,
                                          std::size_t file_size) {
  const auto index = in_context("section INDX", [&] {
    return decode_index(unpack_block(content(sections, kIndexSection)), max_elements(file_size));
  });
  ByteReader embedding(content(sections, kEmbeddingSection), "section EMBD");
  ByteReader data(content(sections, kDataSection), "section DATA");
  std::vector<PlacedPayload> payloads;
  for (const IndexEntry& entry : index) {
    ByteReader& reader = entry.table ? embedding : data;
    payloads.push_back(
        {entry, in_context("tensor " + entry.name, [&] { return reader.take(entry.length); })});
  }
  embedding.expect_end();
  data.expect_end();
  return payloads;
}

// Compares the index with the configuration before anything is decoded: codes that are all equal
// take no bytes, so that only the configuration tells how many a tensor may have.
void check_index(const std::vector<PlacedPayload>& payloads, const ModelConfig& config) {
  require_tensors_for_layers(config, payloads.size());
  std::map<std::string_view, const IndexEntry*> entries;
  for (const PlacedPayload& payload : payloads) {
    entries.emplace(payload.entry.name, &payload.entry);
  }
  for (const ParameterSpec& spec : parameter_specs(config)) {
    const auto found = entries.find(spec.name);
    if (found == entries.end()) {
      throw ConfigError("tensor " + spec.name + " " + to_string(spec.shape) + " is missing");
    }
    const IndexEntry& entry = *found->second;
    if (entry.shape != spec.shape) {
      throw ConfigError("tensor " + spec.name + ": expected shape " + to_string(spec.shape) +
                        ", found " + to_string(entry.shape));
    }
    // A weight matrix in EMBD would make the model look smaller than it is.
    if (entry.table != (spec.component == Component::kEmbedding)) {
      throw FormatError("tensor " + spec.name + ": expected in section " +
                        (entry.table ? "DATA, found in EMBD" : "EMBD, found in DATA"));
    }
    entries.erase(found);
  }
  if (!entries.empty()) {
    const IndexEntry& entry = *entries.begin()->second;
    throw ConfigError("tensor " + entry.name + " " + to_string(entry.shape) +
                      " does not belong to a model of this configuration");
  }
}

void read_tensors(const std::vector<PlacedPayload>& payloads, Checkpoint& checkpoint) {
  // The longest first: begun last, an embedding would keep one thread busy and no other.
  std::vector<std::size_t> order(payloads.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::ranges::greater(),
                           [&](std::size_t i) { return payloads[i].bytes.size(); });
  std::vector<Tensor> tensors(payloads.size());
  parallel_for(payloads.size(), [&](std::size_t place) {
    const std::size_t i = order[place];
    const IndexEntry& entry = payloads[i].entry;
    tensors[i] = in_context("tensor " + entry.name, [&] {
      return decode_payload(payloads[i].bytes, entry.shape, entry.kind);
    });
  });
  for (std::size_t i = 0; i < payloads.size(); ++i) {
    checkpoint.tensors.emplace(payloads[i].entry.name, std::move(tensors[i]));
  }
}

std::vector<SectionView> verified_sections(std::span<const std::byte> bytes) {
  std::vector<SectionView> sections = read_sections(bytes);
  std::ranges::for_each(sections, check_crc);
  return sections;
}

Checkpoint read_all_but_tensors(std::span<const SectionView> sections) {
  Checkpoint checkpoint;
  checkpoint.config = read_config(*find_section(sections, kConfigSection));
  const ModelConfig& config = checkpoint.config;
  const SectionView* language = find_section(sections, kLanguageSection);
  if (is_language_model(config) != (language != nullptr)) {
    throw FormatError(std::string("section CONF: expected a ") +
                      (language != nullptr ? "language model, for which there is a VLNG"
                                           : "translation model, for which there is a VSRC"));
  }
  if (language != nullptr) {
    checkpoint.target_vocabulary = read_vocabulary(*language, config.target_vocabulary_size);
  } else {
    checkpoint.source_vocabulary =
        read_vocabulary(*find_section(sections, kSourceSection), config.source_vocabulary_size);
    const SectionView* target = find_section(sections, kTargetSection);
    checkpoint.target_vocabulary = target == nullptr
                                       ? checkpoint.source_vocabulary
                                       : read_vocabulary(*target, config.target_vocabulary_size);
  }
  if (const SectionView* merges = find_section(sections, kMergesSection)) {
    checkpoint.merges = read_merges(*merges);
  }
  if (const SectionView* pieces = find_section(sections, kPiecesSection)) {
    checkpoint.sentencepiece =
        with_text(*pieces, [](std::string_view t) { return std::string(t); });
  }
  return checkpoint;
}

LtzSizes sizes_of(std::span<const SectionView> sections, std::size_t total) {
  LtzSizes sizes;
  sizes.total = static_cast<std::int64_t>(total);
  for (const SectionView& section : sections) {
    const auto length = static_cast<std::int64_t>(section.content.size());
    if (section.tag == kEmbeddingSection) {
      sizes.embedding = length;
    } else if (section.tag == kSourceSection || section.tag == kTargetSection ||
               section.tag == kLanguageSection || section.tag == kMergesSection ||
               section.tag == kPiecesSection) {
      sizes.vocabulary += length;
    }
  }
  sizes.model = sizes.total - sizes.embedding - sizes.vocabulary;
  return sizes;
}

}  // namespace

LtzSizes ltz_sizes(std::span<const std::byte> bytes) {
  return sizes_of(read_sections(bytes), bytes.size());
}

LtzFile read_ltz(std::span<const std::byte> bytes, const std::string& name) {
  return in_context(name, [&] {
    const std::vector<SectionView> sections = verified_sections(bytes);
    LtzFile file{.checkpoint = read_all_but_tensors(sections),
                 .sizes = sizes_of(sections, bytes.size()),
                 .tensor_bytes = {},
                 .made = {}};
    if (const SectionView* made = find_section(sections, kMadeSection)) {
      file.made = with_text(*made, provenance_from_text);
    }
    const std::vector<PlacedPayload> payloads = place_payloads(sections, bytes.size());
    check_index(payloads, file.checkpoint.config);
    read_tensors(payloads, file.checkpoint);
    validate(file.checkpoint);
    for (const PlacedPayload& payload : payloads) {
      file.tensor_bytes.emplace(payload.entry.name,
                                static_cast<std::int64_t>(payload.bytes.size()));
    }
    return file;
  });
}

Checkpoint decode_ltz(std::span<const std::byte> bytes, const std::string& name) {
  return read_ltz(bytes, name).checkpoint;
}

}  // namespace ltz::formats
