#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "formats/ltz/block.h"
#include "formats/ltz/index.h"
#include "formats/ltz/ltz.h"
#include "formats/ltz/sections.h"
#include "tests/support/tiny_checkpoint.h"

// What an .ltz of a language model has in place of the sections of a translation model.
namespace ltz::formats {
namespace {

using Catch::Matchers::Contains;
using Bytes = std::vector<std::byte>;

}  // namespace

TEST_CASE("ltz: the first bytes of a language model are those of version 1.1, of others of 1.0") {
  // Magic, major and minor version, number of sections.
  const std::vector<int> expected = {0x8C, 0x4C, 0x54, 0x5A, 0x0D, 0x0A, 0x1A, 0x0A,
                                     0x01, 0x00, 0x01, 0x00, 0x06, 0x00, 0x00, 0x00};
  const Bytes language = encode_ltz(tiny_language_model(1));
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CHECK(language[i] == static_cast<std::byte>(expected[i]));
  }
  std::vector<std::string> tags;
  for (const SectionView& section : read_sections(language)) {
    tags.push_back(section.tag);
  }
  CHECK(tags == std::vector<std::string>{"CONF", "VLNG", "BPEM", "INDX", "EMBD", "DATA"});
  const Bytes translation = encode_ltz(tiny_checkpoint(1));
  CHECK(translation[8] == std::byte{1});
  CHECK(translation[10] == std::byte{0});
}

TEST_CASE("ltz: a reader to whom VLNG is unknown refuses a language model by that name") {
  // To this reader, another capital is what VLNG is to the readers of version 1.0.
  std::vector<Section> sections;
  for (const SectionView& view : read_sections(encode_ltz(tiny_language_model(1)))) {
    sections.push_back({view.tag, {view.content.begin(), view.content.end()}});
  }
  sections[1].tag = "VNEW";
  CHECK_THROWS_WITH(decode_ltz(write_sections(sections), "new.ltz"),
                    Contains("unknown section \"VNEW\" that a reader must know"));
}

TEST_CASE("ltz: tables and projections of bands are in EMBD, all of them and nothing else") {
  const Bytes bytes = encode_ltz(tiny_language_model(1));
  const std::vector<SectionView> sections = read_sections(bytes);
  std::vector<std::string> found;
  for (const IndexEntry& entry : decode_index(unpack_block(sections[3].content), 1 << 20)) {
    if (entry.table) {
      found.push_back(entry.name);
    }
  }
  const std::string input = "decoder.embed_tokens.embeddings.";
  const std::string output = "decoder.adaptive_softmax.";
  CHECK(found == std::vector<std::string>{
                     output + "head.class_proj.weight", output + "head.word_proj.0.weight",
                     output + "tail.0.0.weight", output + "tail.1.0.weight", input + "0.0.weight",
                     input + "0.1.weight", input + "1.0.weight", input + "1.1.weight",
                     input + "2.0.weight", input + "2.1.weight"});
}

}  // namespace ltz::formats
