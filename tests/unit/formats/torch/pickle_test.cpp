#include "formats/torch/pickle.h"

#include <catch2/catch.hpp>
#include <string>

#include "formats/torch/pickle_json.h"
#include "model/base/error.h"
#include "tests/support/pickle_builder.h"

using namespace ltz;
using namespace ltz::formats;
using namespace ltz::test;
using Catch::Matchers::Contains;
using namespace std::string_literals;

namespace {

Pickle parse(const std::string& text) {
  return read_pickle(to_bytes(text));
}

void refuses(const std::string& text, const std::string& reason) {
  CAPTURE(text);
  REQUIRE_THROWS_AS(parse(text), FormatError);
  CHECK_THROWS_WITH(parse(text), Contains(reason));
}

}  // namespace

TEST_CASE("a pickle of every kind of number") {
  const Pickle pickle = parse(
      "(K\xff"
      "M\x00\xff"
      "J\xff\xff\xff\xff"
      "\x8a\x01\x80"
      "\x8a\x00"
      "I-5\n"
      "L7L\n"
      "I01\n"
      "G\x3f\xf8\0\0\0\0\0\0"
      "F-0.25\n"
      "t."s);
  const PickleValue tuple = pickle.root();
  REQUIRE(tuple.size() == 10);
  CHECK(tuple.item(0).as_integer() == 255);
  CHECK(tuple.item(1).as_integer() == 0xff00);
  CHECK(tuple.item(2).as_integer() == -1);
  CHECK(tuple.item(3).as_integer() == -128);
  CHECK(tuple.item(4).as_integer() == 0);
  CHECK(tuple.item(5).as_integer() == -5);
  CHECK(tuple.item(6).as_integer() == 7);
  CHECK(tuple.item(7).as_bool());
  CHECK(tuple.item(8).as_double() == 1.5);
  CHECK(tuple.item(9).as_double() == -0.25);
  CHECK_THROWS_WITH(tuple.item(8).as_integer(), "expected an integer, found a float");
  CHECK_THROWS_AS(tuple.item(10), FormatError);
}

TEST_CASE("an integer beyond 64 bits is kept apart") {
  const Pickle fits = parse("\x8a\x09\xff\xff\xff\xff\xff\xff\xff\xff\xff."s);
  CHECK(fits.root().as_integer() == -1);
  const Pickle big = parse("\x8a\x09\xff\xff\xff\xff\xff\xff\xff\xff\x00."s);
  CHECK(big.root().is(PickleType::kBigInteger));
  CHECK_THROWS_AS(big.root().as_integer(), FormatError);
  refuses("L99999999999999999999L\n.", "expected an integer of 64 bits");
}

TEST_CASE("text of every protocol") {
  const Pickle pickle = parse(
      "(S'a\\x41\\n'\n"
      "V\\u00e9\xe8\n"
      "U\x01z"
      "T\x01\0\0\0y"
      "\x8c\x02\xc3\xa9"
      "\x8d\x01\0\0\0\0\0\0\0w"
      "C\x01\xff"
      "B\x01\0\0\0\xfe"
      "t."s);
  const PickleValue tuple = pickle.root();
  CHECK(tuple.item(0).as_string() == "aA\n");
  CHECK(tuple.item(1).as_string() == "\xc3\xa9\xc3\xa8");
  CHECK(tuple.item(2).as_string() == "z");
  CHECK(tuple.item(3).as_string() == "y");
  CHECK(tuple.item(4).as_string() == "\xc3\xa9");
  CHECK(tuple.item(5).as_string() == "w");
  CHECK(tuple.item(6).as_bytes() == "\xff");
  CHECK(tuple.item(7).as_bytes() == "\xfe");
  refuses("S'a\n.", "expected a quoted string");
  refuses("S'\\\n'.", "expected a quoted string");
  refuses("V\\u12\n.", "raw-unicode");
  refuses("Sno end", "a line without end");
}

TEST_CASE("containers, memo and framing") {
  // Protocol 4, as Python writes [{"k": frozenset({1})}, …], the dict twice by reference.
  const Pickle pickle = parse(
      "\x80\x04\x95\x12\0\0\0\0\0\0\0]\x94(}\x94\x8c\x01k\x94(K\x01\x91\x94sh\x01"
      "e."s);
  const PickleValue list = pickle.root();
  REQUIRE(list.size() == 2);
  CHECK(list.item(0).find("k")->item(0).as_integer() == 1);
  CHECK(list.item(1).find("k")->size() == 1);
  CHECK_FALSE(list.item(0).find("other"));
}

TEST_CASE("of equal keys the last counts") {
  CHECK(parse("}(" + pickled("a") + "K\x01" + pickled("a") + "K\x02u.")
            .root()
            .find("a")
            ->as_integer() == 2);
}

TEST_CASE("an OrderedDict is a dict in all its forms, its attributes are ignored") {
  const std::string type = pickled_global("collections", "OrderedDict");
  const std::string pairs = "(](" + pickled("a") + "K\x01l(" + pickled("b") + "K\x02lelt";
  const std::string old = type +
                          "(("
                          "(" +
                          pickled("a") + "K\x01l(" + pickled("b") +
                          "K\x02"
                          "ll"
                          "tR.";
  for (const std::string& text : {type + ")R(" + pickled("a") + "K\x01" + pickled("b") + "K\x02u.",
                                  type + ")\x81(" + pickled("a") + "K\x01" + pickled("b") +
                                      "K\x02u}" + pickled("_metadata") + "Nsb.",
                                  old}) {
    CAPTURE(text);
    const Pickle pickle = parse(text);
    CHECK(pickle.root().find("a")->as_integer() == 1);
    CHECK(pickle.root().find("b")->as_integer() == 2);
    CHECK(pickle.root().size() == 2);
  }
}

TEST_CASE("nothing is called: an object is what would have been called") {
  const Pickle pickle =
      parse("cos\nsystem\n(" + pickled("rm -rf /") + "tR}" + pickled("x") + "Nsb.");
  const PickleValue object = pickle.root();
  CHECK(object.is_call_of("os.system"));
  CHECK(object.arguments().item(0).as_string() == "rm -rf /");
  CHECK(object.state().find("x")->is(PickleType::kNone));
  CHECK(parse("(ios\nsystem\n.").root().is_call_of("os.system"));
  CHECK(parse("(cos\nsystem\nK\x01o.").root().arguments().size() == 1);
  CHECK(parse("cm\nC\n)}\x92.").root().is_call_of("m.C"));
  CHECK(parse("\x8c\x01m\x8c\x01"
              "C\x93.")
            .root()
            .symbol() == "m.C");
}

TEST_CASE("persistent ids are listed") {
  const Pickle pickle = parse("(K\x07QPtext\nt.");
  CHECK(pickle.persistent_ids().size() == 2);
  CHECK(pickle.root().item(0).persistent_id().as_integer() == 7);
  CHECK(pickle.root().item(1).persistent_id().as_string() == "text");
}

TEST_CASE("several pickles in a row") {
  const std::string text = "K\x01.K\x02.";
  const Pickle first = parse(text);
  CHECK(first.consumed() == 3);
  CHECK(parse(text.substr(first.consumed())).root().as_integer() == 2);
}

TEST_CASE("hostile pickles are refused with the offset and the opcode") {
  refuses("", "needs 1 bytes, 0 are left");
  refuses(".", "expected one value on the stack, found 0");
  refuses("NN.", "found 2");
  refuses("(N.", "1 marks");
  refuses("0", "the stack is empty");
  refuses(
      "N(0"
      "0"
      "0.",
      "the stack is empty");
  refuses("N(\x85.", "byte 2, opcode TUPLE1: the stack is empty");
  refuses("Nt.", "no mark");
  refuses("h\x05.", "byte 0, opcode BINGET: memo slot 5 is empty");
  refuses("g-1\n.", "is empty");
  refuses("q\x05.", "the stack is empty");
  refuses(
      "X\xff\xff\xff\xff"
      "abc.",
      "needs 4294967295 bytes, 4 are left");
  refuses("\x8d\xff\xff\xff\xff\xff\xff\xff\xff.", "bytes, 1 are left");
  refuses("\x8b\xff\xff\xff\xff.", "needs 4294967295 bytes");
  refuses("\x95\xff\xff\xff\xff\xff\xff\xff\x7f.", "a frame of");
  refuses("\x80\x06.", "protocol");
  refuses("\x82\x01.", "0x82: unknown opcode");  // extension registry
  refuses("\x97.", "unknown opcode");            // out-of-band buffers
  refuses("]NNs.", "expected a dict, found a list");
  refuses("}(NNNu.", "found 3 items");
  refuses("}]Ns.", "hashable");
  refuses("}Na.", "expected a list, found a dict");
  refuses("](N\x90.", "expected a set, found a list");
  refuses("NNb.", "expected an object, found None");
  refuses("]}b.", "expected an object, found a list");
  refuses("N)R.", "expected a global, found None");
  refuses("cm\nC\n]R.", "expected a tuple of arguments, found a list");
  refuses("NN\x93.", "expected two strings");
  refuses("cm\nC", "a line without end");
  refuses(pickled_global("collections", "OrderedDict") + "(K\x01tR.", "list of pairs");
}

TEST_CASE("a truncated pickle is refused at every length") {
  const std::string text = fairseq_pickle(pickled("arch") + pickled("transformer"),
                                          pickled("w") + pickled_tensor({.count = 1}));
  parse(text);
  for (std::size_t length = 0; length < text.size(); ++length) {
    CAPTURE(length);
    CHECK_THROWS_AS(parse(text.substr(0, length)), FormatError);
  }
}

TEST_CASE("cycles are harmless, and unfolded only so far as settings are nested") {
  const Pickle list = parse("]q\0h\0a."s);
  CHECK(list.root().item(0).item(0).item(0).size() == 1);
  CHECK(to_json(list.root())[0]["__unread__"] == "a list of 1 items");
  const Pickle dict = parse("}q\0"s + pickled("self") + "h\0s."s);
  CHECK(to_json(dict.root())["self"]["self"]["self"]["self"]["__unread__"] == "a dict of 1 items");
  // A node of OmegaConf that is its own content.
  const Pickle node = parse(pickled_global("omegaconf.nodes", "AnyNode") + ")\x81q\0}"s +
                            pickled("_val") + "h\0sb."s);
  CHECK(to_json(node.root()).contains("__unread__"));
}

TEST_CASE("deep nesting needs no stack") {
  const std::size_t depth = 1'000'000;
  const Pickle pickle = parse(std::string(depth, ']') + std::string(depth - 1, 'a') + ".");
  CHECK(pickle.root().size() == 1);
  CHECK(to_json(pickle.root()).size() == 1);
}

TEST_CASE("references cannot multiply memory") {
  // Three dicts, each a thousand times in the next: 10^9 values when unfolded.
  std::string text = "}";
  for (int i = 0; i < 3; ++i) {
    text += "q"s + std::string(1, static_cast<char>(i)) + "}(";
    for (int k = 0; k < 1000; ++k) {
      text += pickled(std::to_string(k)) + "h"s + std::string(1, static_cast<char>(i));
    }
    text += "u";
  }
  // Every level leaves its dict below the next one: one list takes them all, and goes.
  const Pickle pickle = parse("(" + text + "q\5l0h\5."s);
  CHECK_THROWS_WITH(to_json(pickle.root()), Contains("unfold"));

  std::string pairs = "](";
  for (int i = 0; i < 100; ++i) {
    pairs += "NN\x86";
  }
  std::string copies =
      "(" + pairs + "e\x85q\0"s + pickled_global("collections", "OrderedDict") + "q\1";
  for (int i = 0; i < 100; ++i) {
    copies += "h\1h\0R"s;
  }
  refuses(copies + "t.", "more pairs than bytes");
}

TEST_CASE("settings as JSON") {
  const std::string value =
      "}(" + pickled("none") + "N" + pickled("list") + "](K\x01\x88" + "e" + pickled("tuple") +
      "K\x02\x85" + pickled("init") + pickled_global("m", "f") + pickled("space") +
      pickled_global("argparse", "Namespace") + ")\x81}" + pickled("a") + "G\x3f\xf8\0\0\0\0\0\0"s +
      "sb" + "K\x05" + pickled("five") + pickled("odd") + "U\x01\xff" + "u.";
  const Pickle pickle = parse(value);
  const nlohmann::json json = to_json(pickle.root());
  CHECK(json["none"].is_null());
  CHECK(json["list"] == nlohmann::json::array({1, true}));
  CHECK(json["tuple"] == nlohmann::json::array({2}));
  CHECK(json["init"]["__symbol__"] == "m.f");
  CHECK(json["space"]["a"] == 1.5);
  CHECK(json["5"] == "five");
  CHECK(json["odd"] == "(not UTF-8)");
}

TEST_CASE("settings of no interest may be anything") {
  const std::string long_list = "](" + std::string(300'000, 'N') + "e";
  const std::string value =
      "}(N" + pickled("none") + "\x88" + pickled("bool") + "G\x3f\xe0\0\0\0\0\0\0"s +
      pickled("float") + "C\1b" + pickled("bytes") + "K\1K\2\x86" + pickled("tuple") +
      pickled_global("m", "Enum") + "K\1\x85R" + pickled("enum") + pickled("list") + long_list +
      pickled("text") + pickled(std::string(600'000, 'x')) + pickled("nested") + "]]]Naaa" +
      pickled("bytes") + "C\2ab" + pickled("huge") + "\x8a\x09\0\0\0\0\0\0\0\0\1"s +
      pickled("low") + "\x8a\x09\0\0\0\0\0\0\0\0\xff"s + pickled("array") +
      "\x96\1\0\0\0\0\0\0\0z"s + pickled("last") + "K\7u.";
  const Pickle pickle = parse(value);
  const nlohmann::json json = to_json(pickle.root());
  CHECK(json.size() == 8);
  CHECK(json["list"]["__unread__"] == "a list of 300000 items");
  CHECK(json["text"]["__unread__"] == "a long string");
  CHECK(json["nested"][0]["__unread__"] == "a list of 1 items");
  CHECK(json["bytes"]["__unread__"] == "bytes");
  CHECK(json["array"]["__unread__"] == "bytes");
  CHECK(json["huge"] == 0x1p64);
  CHECK(json["low"] == -0x1p64);
  CHECK(json["last"] == 7);
}
