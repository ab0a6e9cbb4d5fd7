// .ltz files whose sections are all there, but say what they must not. LTZ.md has the layout.

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>

#include "ltz_parts.h"
#include "malformed.h"
#include "tests/support/pickle_builder.h"

using namespace ltz;
using namespace ltz::formats;
using namespace ltz::test;
using namespace std::string_literals;

namespace {

Bytes with_text(const std::string& tag, const std::string& text) {
  return ltz_with([&](LtzParts& p) { p.set_text(tag, text); });
}

// Stored: the tables of the text decoder would hide what the configuration takes.
Bytes with_config(const std::function<void(nlohmann::json&)>& change) {
  return ltz_with([&](LtzParts& p) {
    nlohmann::json config = nlohmann::json::parse(p.text("CONF"));
    change(config);
    const std::string text = config.dump();
    p.section("CONF") = packed(0, static_cast<std::uint32_t>(text.size()), to_bytes(text));
  });
}

// In place of the index: what decode_index() gets to see.
Bytes with_index(const std::string& index) {
  return with_text("INDX", index);
}

// One line of an index: name, encoding, shape, length of the payload.
std::string index_line(const std::string& name, int encoding, const std::string& shape,
                       const std::string& length) {
  return static_cast<char>(name.size()) + name + static_cast<char>(encoding) + shape + length;
}

// (13, 8), in EMBD.
const std::string kTable = "decoder.embed_tokens.weight";

}  // namespace

TEST_CASE("malformed ltz: configuration") {
  check_refused(
      {
          {"not JSON", with_text("CONF", "layers: 6"), {"section CONF: configuration: "}},
          {"not UTF-8",
           with_text("CONF", "{\"arch\": \"\xff\"}"),
           {"section CONF: configuration: "}},
          {"cut off", with_text("CONF", "{\"arch\":"), {"section CONF: configuration: "}},
          {"a list", with_text("CONF", "[]"), {"configuration: the whole: expected an object"}},
          {"a key is missing",
           with_config([](auto& c) { c.erase("weight_softmax"); }),
           {"section CONF: configuration: weight_softmax is missing"}},
          {"nested without end", with_text("CONF", std::string(60'000, '[')), {"nested"}},
          {"nested objects", with_text("CONF", repeated("{\"a\":", 12'000)), {"nested"}},
          {"2 MB long",
           with_text("CONF", "[" + repeated("0,", 1'000'000) + "0]"),
           {"section CONF: "}},
          {"no layers",
           with_config([](auto& c) { c["encoder"]["layers"] = 0; }),
           {"encoder_layers"}},
          {"1000 layers of 64 branches",
           with_config([](auto& c) {
             auto& stack = c["decoder"];
             stack["layers"] = 1000;
             stack["embed_dim"] = 512;
             stack["branches"] = nlohmann::json(
                 64, {{"type", "attention"}, {"kernel_size", 0}, {"channels", 8}, {"heads", 1}});
           }),
           {"expected the tensors of 1 + 1000 layers, found 54 tensors"}},
          {"branches wider than the model",
           with_config([](auto& c) { c["encoder"]["branches"][0]["channels"] = 8; }),
           {"encoder_branch_type has 12 channels, expected 8"}},
      },
      read_ltz_file);
}

TEST_CASE("malformed ltz: vocabularies and merges") {
  const std::string source = LtzParts().text("VSRC");
  check_refused(
      {
          {"an empty word more", with_text("VSRC", "\n" + source), {"section VSRC: expected 16"}},
          {"a line end in a word",
           with_text("VSRC", "a\r" + source),
           {"section VSRC: the vocabulary has a word with a line end"}},
          {"no end of the last line",
           with_text("VTGT", LtzParts().text("VTGT") + "abc"),
           {"section VTGT: the last line has no end"}},
          {"one word too many",
           with_text("VSRC", source + "more\n"),
           {"section VSRC: expected 16 entries (rows of the embedding), found 17"}},
          {"no words",
           with_text("VSRC", ""),
           {"section VSRC: expected 16 entries (rows of the embedding), found 4"}},
          {"a million empty words", with_text("VSRC", std::string(1'000'000, '\n')), {"VSRC"}},
          {"a million times the same word",
           with_text("VTGT", repeated("a\n", 1'000'000)),
           {"VTGT"}},
          {"merge of one symbol",
           with_text("BPEM", "ab\n"),
           {"section BPEM: merges: expected \"left right\", found \"ab\""}},
          {"merges and a SentencePiece model",
           ltz_with([](LtzParts& p) {
             p.sections.insert(p.sections.begin() + 4, {"SPMD", {}});
             p.set_text("SPMD", "a");
           }),
           {"expected merges or a SentencePiece model, found both"}},
          {"a SentencePiece model that is none",
           ltz_with([](LtzParts& p) {
             p.sections[3] = {"SPMD", {}};  // in place of BPEM
             p.set_text("SPMD", "a b");
           }),
           {"SentencePiece model: "}},
          {"merge of three symbols", with_text("BPEM", "a b c\n"), {"section BPEM: merges: "}},
      },
      read_ltz_file);
}

TEST_CASE("malformed ltz: index") {
  const std::string three = "section INDX: tensor index: ";
  const std::string shape = "\x02\x02\x04";
  const std::string huge = "\xff\xff\xff\xff\xff\xff\xff\xff\x7f";  // 2^63 - 1
  check_refused(
      {
          {"empty", with_index(""), {three + "truncated"}},
          {"2^63 tensors", with_index(huge), {three + "truncated"}},
          {"number is too long",
           with_index("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"),
           {three + "malformed variable-length integer"}},
          {"name of 2^63 bytes", with_index("\1" + huge), {three + "truncated"}},
          {"unknown encoding",
           with_index("\1" + index_line("w", 13, shape, "\x08")),
           {three + "tensor w: unknown encoding 13"}},
          {"nine dimensions",
           with_index("\1" + index_line("w", 0, "\x09" + std::string(9, '\1'), "\4")),
           {three + "tensor w: expected at most 8 dimensions, found 9"}},
          {"2^64 - 1 dimensions",
           with_index("\1" + index_line("w", 0, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\1", "\4")),
           {"expected at most 8 dimensions, found 18446744073709551615"}},
          {"twice",
           with_index("\2" + index_line("w", 0, shape, "\x20") + index_line("w", 0, shape, "\x20")),
           {three + "tensor w is there twice"}},
          {"out of order",
           with_index("\2" + index_line("w", 0, shape, "\x20") + index_line("v", 0, shape, "\x20")),
           {three + "tensor v is out of order"}},
          {"more than there are",
           with_index("\2" + index_line("w", 0, shape, "\x20")),
           {three + "truncated"}},
          {"trailing bytes",
           with_index("\1" + index_line("w", 0, shape, "\x20") + "abc"),
           {three + "3 unexpected trailing bytes"}},
          {"elements wrap around",
           with_index("\1" + index_line("w", 3, "\2" + huge + huge, "\4")),
           {"section INDX: ", "too many elements"}},
          {"too many elements",
           with_index("\1" + index_line("w", 3, "\2\x80\x80\x80\x40\x04", "\4")),
           {"section INDX: tensor w (134217728, 4): more elements in all than the "}},
          {"payload of 2^63 bytes",
           ltz_with([&](LtzParts& p) {
             const std::string name = p.tensors[0].entry.name;
             p.set_text("INDX", "\1" + index_line(name, 0x83, shape, huge));
           }),
           {"tensor ", "truncated: expected 9223372036854775807 more bytes"}},
          {"payloads leave bytes",
           ltz_with([](LtzParts& p) { p.section("DATA").push_back(std::byte{0}); }),
           {"section DATA: 1 unexpected trailing bytes"}},
          {"payloads lack bytes",
           ltz_with([](LtzParts& p) { p.section("DATA").pop_back(); }),
           {"section DATA: truncated"}},
          {"tensor is missing",
           ltz_with_tensors([](LtzParts& p) { p.tensors.erase(p.tensors.begin() + 3); }),
           {"tensor ", "is missing"}},
          {"a tensor that no model has",
           ltz_with_tensors([](LtzParts& p) {
             p.tensors.push_back({{"zz", {1}, PayloadKind::kFloat32, false, 4}, Bytes(4)});
           }),
           {"tensor zz (1) does not belong to a model of this configuration"}},
          {"another shape",
           ltz_with_tensors([](LtzParts& p) {
             p.tensor(kTable).entry.shape = {8, 13};
           }),
           {"tensor " + kTable + ": expected shape (13, 8), found (8, 13)"}},
          {"table in DATA",
           ltz_with_tensors([](LtzParts& p) { p.tensor(kTable).entry.table = false; }),
           {"tensor " + kTable + ": expected in section EMBD, found in DATA"}},
          // All codes equal: five bytes for 2^26 elements, which no check of bytes can bound.
          {"2^26 elements in five bytes",
           ltz_with_tensors([](LtzParts& p) {
             auto& tensor = p.tensor(kTable);
             tensor.entry.shape = {1 << 26};
             tensor.bytes = to_bytes("\1\0\x80\0\0"s);
           }),
           {"tensor " + kTable + ": expected shape (13, 8), found (67108864)"}},
      },
      read_ltz_file);
}
