#include "model/text/sentence_pieces.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <string>

#include "model/base/error.h"
#include "tests/support/sentence_piece_bytes.h"

using Catch::Matchers::Contains;

namespace ltz {
namespace {

using Pieces = std::vector<std::string>;

const std::string kGolden = LTZ_GOLDEN_DIR "/sentencepiece/";

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> read_lines(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    lines.push_back(line);
  }
  return lines;
}

SentencePieceModel tiny_model(SentencePieceModel::Algorithm algorithm) {
  using Type = SentencePieceModel::Type;
  SentencePieceModel model;
  model.algorithm = algorithm;
  model.pieces = {{"<unk>", 0.0f, Type::kUnknown},  {"▁", -3.0f, Type::kNormal},
                  {"a", -2.0f, Type::kNormal},      {"b", -2.0f, Type::kNormal},
                  {"ab", -2.5f, Type::kNormal},     {"▁a", -3.5f, Type::kNormal},
                  {"<x>", 0.0f, Type::kUserDefined}};
  return model;
}

void refuses(const std::string& bytes, const std::string& reason) {
  CAPTURE(reason);
  REQUIRE_THROWS_AS(parse_sentence_piece_model(bytes), FormatError);
  CHECK_THROWS_WITH(parse_sentence_piece_model(bytes), Contains(reason));
}

}  // namespace

TEST_CASE("SentencePiece models make the pieces that its library makes") {
  const std::vector<std::string> lines = read_lines(kGolden + "lines.txt");
  REQUIRE(lines.size() == 203);
  for (const std::string name : {"unigram", "bpe"}) {
    const SentencePieceEncoder encoder(
        parse_sentence_piece_model(read_file(kGolden + name + ".model")));
    const std::vector<std::string> expected = read_lines(kGolden + name + ".pieces");
    REQUIRE(expected.size() == lines.size());
    for (std::size_t i = 0; i < lines.size(); ++i) {
      CAPTURE(name, i);
      std::string found;
      for (const std::string& piece : encoder.encode(lines[i])) {
        found += (found.empty() ? "" : " ") + piece;
      }
      CHECK(found == expected[i]);
    }
  }
}

TEST_CASE("unigrams: the best path; BPE: the best pair") {
  const SentencePieceEncoder unigram(tiny_model(SentencePieceModel::Algorithm::kUnigram));
  CHECK(unigram.encode("ab a") == Pieces{"▁", "ab", "▁a"});
  CHECK(unigram.encode("zz<x>a") == Pieces{"▁", "zz", "<x>", "a"});
  const SentencePieceEncoder bpe(tiny_model(SentencePieceModel::Algorithm::kBpe));
  CHECK(bpe.encode("ab aab") == Pieces{"▁", "ab", "▁a", "ab"});
  CHECK(bpe.encode("a<x>b") == Pieces{"▁a", "<x>", "b"});
}

TEST_CASE("a line without words has no pieces") {
  const SentencePieceEncoder encoder(tiny_model(SentencePieceModel::Algorithm::kUnigram));
  for (const char* line : {"", " ", "\u3000\t"}) {
    CHECK(encoder.encode_line(line).empty());
  }
  CHECK(encoder.encode_line("\u00A0ab\u2028") == Pieces{"▁", "ab"});
}

TEST_CASE("unused pieces are not taken, or taken apart again") {
  SentencePieceModel unigram = tiny_model(SentencePieceModel::Algorithm::kUnigram);
  unigram.pieces[4].type = SentencePieceModel::Type::kUnused;
  CHECK(SentencePieceEncoder(unigram).encode("ab") == Pieces{"▁a", "b"});
  SentencePieceModel bpe = tiny_model(SentencePieceModel::Algorithm::kBpe);
  bpe.pieces[4].type = SentencePieceModel::Type::kUnused;
  CHECK(SentencePieceEncoder(bpe).encode("ab") == Pieces{"▁", "a", "b"});
}

TEST_CASE("pieces are joined as fairseq joins them") {
  CHECK(join_sentence_pieces({"▁a", "b", "▁▁c", "d e"}) == "ab  cde");
  CHECK(join_sentence_pieces({"▁"}).empty());
  CHECK(join_sentence_pieces({}).empty());
}

TEST_CASE("what is no SentencePiece model is refused") {
  const std::string good = test::sentence_piece_bytes(tiny_model({}));
  CHECK(parse_sentence_piece_model(good).pieces.size() == 7);
  refuses("", "expected a piece for what is unknown");
  refuses("#version: 0.2\n", "SentencePiece model: ");
  refuses(good + "\x0F", "unknown kind of field 7");
  refuses(good + "\x0A\x7F", "truncated: expected 127 bytes, found 0");
  SentencePieceModel model = tiny_model({});
  model.pieces.push_back(model.pieces[2]);
  refuses(test::sentence_piece_bytes(model), "found \"a\" again");
  refuses(good + std::string("\x12\x02\x18\x03", 4), "found type 3");
  refuses(good + std::string("\x1A\x06\x12\x04\x08\0\0\0", 8), "rules of normalisation");
}

TEST_CASE("a damaged SentencePiece model is refused or read, and nothing else") {
  const std::string good = read_file(kGolden + "unigram.model");
  int read = 0;
  for (std::size_t at = 0; at < good.size(); at += 7) {
    for (const std::string& bad : {good.substr(0, at), std::string(good).replace(at, 1, "\xB5")}) {
      try {
        SentencePieceEncoder(parse_sentence_piece_model(bad)).encode("É A\u3000fi\u00E9 ﬁ x@@y");
        ++read;
      } catch (const FormatError&) {
      }
    }
  }
  CHECK(read > 0);
}

}  // namespace ltz
