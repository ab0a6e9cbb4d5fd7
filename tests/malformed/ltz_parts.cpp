#include "ltz_parts.h"

#include <algorithm>
#include <stdexcept>

#include "formats/bytes/bytes.h"
#include "formats/bytes/crc32c.h"
#include "formats/ltz/block.h"
#include "formats/ltz/ltz.h"
#include "tests/support/pickle_builder.h"
#include "tests/support/tiny_checkpoint.h"

namespace ltz::test {

using namespace formats;

LtzParts::LtzParts() : LtzParts(tiny_quantized_checkpoint(1)) {}

LtzParts::LtzParts(const Checkpoint& checkpoint) {
  const Bytes bytes = encode_ltz(checkpoint);
  for (const SectionView& view : read_sections(bytes)) {
    sections.push_back({view.tag, {view.content.begin(), view.content.end()}});
  }
  ByteReader embedding(section("EMBD"), "EMBD");
  ByteReader data(section("DATA"), "DATA");
  for (IndexEntry& entry : decode_index(unpack_block(section("INDX")), 1 << 20)) {
    const auto payload = (entry.table ? embedding : data).take(entry.length);
    tensors.push_back({std::move(entry), {payload.begin(), payload.end()}});
  }
}

Bytes& LtzParts::section(const std::string& tag) {
  const auto found = std::ranges::find(sections, tag, &Section::tag);
  if (found == sections.end()) {
    throw std::logic_error("no section " + tag);
  }
  return found->content;
}

std::string LtzParts::text(const std::string& tag) {
  const Bytes raw = unpack_block(section(tag));
  return {reinterpret_cast<const char*>(raw.data()), raw.size()};
}

void LtzParts::set_text(const std::string& tag, const std::string& text) {
  section(tag) = pack_block(text);
}

LtzParts::Payload& LtzParts::tensor(const std::string& name) {
  const auto found =
      std::ranges::find_if(tensors, [&](const Payload& p) { return p.entry.name == name; });
  if (found == tensors.end()) {
    throw std::logic_error("no tensor " + name);
  }
  return *found;
}

void LtzParts::pack_tensors() {
  std::vector<IndexEntry> entries;
  Bytes embedding;
  Bytes data;
  for (Payload& payload : tensors) {
    payload.entry.length = payload.bytes.size();
    entries.push_back(payload.entry);
    put_bytes(payload.entry.table ? embedding : data, payload.bytes);
  }
  section("INDX") = pack_block(encode_index(entries));
  section("EMBD") = embedding;
  section("DATA") = data;
}

Bytes ltz_with(const std::function<void(LtzParts&)>& change) {
  LtzParts parts;
  change(parts);
  return parts.file();
}

Bytes ltz_with_tensors(const std::function<void(LtzParts&)>& change) {
  return ltz_with([&](LtzParts& parts) {
    change(parts);
    parts.pack_tensors();
  });
}

Bytes ltz_with_header(std::size_t offset, const std::string& bytes) {
  const LtzParts parts;
  Bytes file = parts.file();
  std::ranges::copy(to_bytes(bytes), file.begin() + static_cast<std::ptrdiff_t>(offset));
  const std::size_t table_end = 24 + 24 * parts.sections.size();
  Bytes crc;
  put_integer(crc, crc32c(std::span(file).first(table_end)));
  std::ranges::copy(crc, file.begin() + static_cast<std::ptrdiff_t>(table_end));
  return file;
}

std::string repeated(const std::string& text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) {
    out += text;
  }
  return out;
}

Bytes packed(int method, std::uint32_t size, const Bytes& content) {
  Bytes block{static_cast<std::byte>(method)};
  put_integer(block, size);
  put_bytes(block, content);
  return block;
}

}  // namespace ltz::test
