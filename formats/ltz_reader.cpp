#include <utility>

#include "formats/config_json.h"
#include "formats/ltz.h"
#include "formats/ltz_bytes.h"
#include "formats/ltz_deflate.h"
#include "formats/ltz_index.h"
#include "formats/ltz_payload.h"
#include "formats/ltz_sections.h"
#include "formats/word_list.h"
#include "model/context.h"
#include "model/parallel.h"

namespace ltz::formats {
namespace {

// A section that is known to be there.
std::span<const std::byte> content(std::span<const SectionView> sections, std::string_view tag) {
  return find_section(sections, tag)->content;
}

std::string unpack_text(const SectionView& section) {
  return in_context("section " + section.tag, [&] {
    const auto raw = unpack_block(section.content);
    return std::string(reinterpret_cast<const char*>(raw.data()), raw.size());
  });
}

std::vector<std::string> unpack_lines(const SectionView& section) {
  const std::string text = unpack_text(section);
  return in_context("section " + section.tag, [&] { return split_lines(text); });
}

Vocabulary read_vocabulary(const SectionView& section) {
  auto words = unpack_lines(section);
  return in_context("section " + section.tag, [&] { return Vocabulary(std::move(words)); });
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

// A weight matrix in EMBD would make the model look smaller than it is.
void check_places(const std::vector<PlacedPayload>& payloads, const ModelConfig& config) {
  const auto tables = table_names(config);
  for (const PlacedPayload& payload : payloads) {
    if (payload.entry.table != tables.contains(payload.entry.name)) {
      throw FormatError("tensor " + payload.entry.name + ": expected in section " +
                        (payload.entry.table ? "DATA, found in EMBD" : "EMBD, found in DATA"));
    }
  }
}

void read_tensors(const std::vector<PlacedPayload>& payloads, Checkpoint& checkpoint) {
  std::vector<Tensor> tensors(payloads.size());
  parallel_for(payloads.size(), [&](std::size_t i) {
    const IndexEntry& entry = payloads[i].entry;
    tensors[i] = in_context("tensor " + entry.name, [&] {
      return decode_payload(payloads[i].bytes, entry.shape, entry.kind);
    });
  });
  for (std::size_t i = 0; i < payloads.size(); ++i) {
    checkpoint.tensors.emplace(payloads[i].entry.name, std::move(tensors[i]));
  }
}

Checkpoint decode(std::span<const std::byte> bytes) {
  const std::vector<SectionView> sections = read_sections(bytes);
  for (const SectionView& section : sections) {
    check_crc(section);
  }
  Checkpoint checkpoint;
  checkpoint.config = config_from_text(unpack_text(*find_section(sections, kConfigSection)));
  validate(checkpoint.config);
  checkpoint.source_vocabulary = read_vocabulary(*find_section(sections, kSourceSection));
  const SectionView* target = find_section(sections, kTargetSection);
  checkpoint.target_vocabulary =
      target == nullptr ? checkpoint.source_vocabulary : read_vocabulary(*target);
  if (const SectionView* merges = find_section(sections, kMergesSection)) {
    checkpoint.merges = merges_from_lines(unpack_lines(*merges));
  }
  const auto payloads = place_payloads(sections, bytes.size());
  check_places(payloads, checkpoint.config);
  read_tensors(payloads, checkpoint);
  validate(checkpoint);
  return checkpoint;
}

}  // namespace

Checkpoint decode_ltz(std::span<const std::byte> bytes, const std::string& name) {
  return in_context(name, [&] { return decode(bytes); });
}

LtzSizes ltz_sizes(std::span<const std::byte> bytes) {
  LtzSizes sizes;
  sizes.total = static_cast<std::int64_t>(bytes.size());
  for (const SectionView& section : read_sections(bytes)) {
    const auto length = static_cast<std::int64_t>(section.content.size());
    if (section.tag == kEmbeddingSection) {
      sizes.embedding = length;
    } else if (section.tag == kSourceSection || section.tag == kTargetSection ||
               section.tag == kMergesSection) {
      sizes.vocabulary += length;
    }
  }
  sizes.model = sizes.total - sizes.embedding - sizes.vocabulary;
  return sizes;
}

std::map<std::string, std::int64_t> ltz_tensor_bytes(std::span<const std::byte> bytes,
                                                     const std::string& name) {
  return in_context(name, [&] {
    const std::vector<SectionView> sections = read_sections(bytes);
    check_crc(*find_section(sections, kIndexSection));
    std::map<std::string, std::int64_t> lengths;
    for (const PlacedPayload& payload : place_payloads(sections, bytes.size())) {
      lengths.emplace(payload.entry.name, static_cast<std::int64_t>(payload.bytes.size()));
    }
    return lengths;
  });
}

}  // namespace ltz::formats
