// Pickles that describe no checkpoint, inside of an archive that is as it should be.

#include <catch2/catch.hpp>
#include <string>

#include "formats/fairseq/checkpoint_file.h"
#include "formats/fairseq/fairseq.h"
#include "malformed.h"
#include "raw_zip.h"
#include "tests/support/pickle_builder.h"

using namespace ltz;
using namespace ltz::formats;
using namespace ltz::test;
using namespace std::string_literals;

namespace {

const std::string kArgs = pickled("arch") + pickled("transformer");
const std::string kSixFloats(24, '\0');

void read_whole(std::span<const std::byte> bytes, const std::string& name) {
  checkpoint_from_torch(read_torch_checkpoint(bytes, name), {}, {}, {}, name);
}

Bytes archive_of(const std::string& pickle) {
  return raw_zip({{"m/data.pkl", pickle}, {"m/data/0", kSixFloats}});
}

std::string tensor(const std::vector<std::int64_t>& shape,
                   const std::vector<std::int64_t>& strides) {
  return pickled_tensor({.count = 6, .shape = shape, .strides = strides});
}

// {"args": ..., "model": OrderedDict(w = tensor)}
Bytes archive_of_tensor(const std::string& tensor) {
  return archive_of(fairseq_pickle(kArgs, pickled("w") + tensor));
}

Bytes archive_of_dict(const std::string& args, const std::string& model) {
  return archive_of(pickle_of(pickled_dict({{"args", args}, {"model", model}})));
}

// A good tensor with another persistent id.
std::string tensor_of_storage(const std::string& id) {
  return pickled_global("torch._utils", "_rebuild_tensor_v2") + "(" + id + "Q" + pickled(0) +
         pickled_tuple({pickled(2)}) + pickled_tuple({pickled(1)}) + "\x89NtR";
}

std::string storage_id(const std::string& type, const std::string& key, const std::string& count) {
  return pickled_tuple({pickled("storage"), type, key, pickled("cpu"), count});
}

const std::string kFloatStorage = pickled_global("torch", "FloatStorage");

}  // namespace

TEST_CASE("malformed pickle: a good one comes as far as its missing embedding") {
  const Refusal found = refusal(archive_of_tensor(tensor({2, 3}, {3, 1})), read_whole);
  CHECK(found.message == "bad.file: tensor encoder.embed_tokens.weight is missing");
}

TEST_CASE("malformed pickle: opcodes") {
  const auto file = [](const std::string& name, const std::string& pickle, const std::string& place,
                       const std::string& cause) {
    return Malformed{name, archive_of(pickle), {"m/data.pkl: pickle, byte " + place, cause}};
  };
  const std::string list_of_one = "]N"s;
  check_refused(
      {
          file("unknown opcode", "\x80\x02\x97."s, "2, opcode 0x97", "unknown opcode"),
          file("extension registry", "\x80\x02\x84\xff\xff\xff\xff."s, "2, opcode 0x84", "unknown"),
          file("protocol", "\x80\x06N."s, "0, opcode PROTO", "expected protocol 0 to 5, found 6"),
          file("stack underflow", "\x80\x02]N\x86\x86."s, "5, opcode TUPLE2", "stack is empty"),
          file("nothing left", "\x80\x02."s, "2, opcode STOP", "found 0 and 0 marks"),
          file("two values left", "\x80\x02]]."s, "4, opcode STOP", "found 2 and 0 marks"),
          file("mark left", "\x80\x02N(."s, "4, opcode STOP", "found 1 and 1 marks"),
          file("no mark", "\x80\x02]Ne."s, "4, opcode APPENDS", "no mark on the stack"),
          file("value below the mark", "\x80\x02N(R."s, "4, opcode REDUCE", "stack is empty"),
          file("dangling memo", "\x80\x02j\0\0\0\x80."s, "2, opcode LONG_BINGET",
               "slot 2147483648 is empty"),
          file("no STOP", "\x80\x02N"s, "3, opcode none", "needs 1 bytes, 0 are left"),
          file("huge BINUNICODE8", "\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\x7f"s + "a.",
               "2, opcode BINUNICODE8", "needs 9223372036854775807 bytes, 2 are left"),
          file("huge BINBYTES8", "\x80\x04\x8e\0\0\0\0\0\0\0\x80."s, "2, opcode BINBYTES8",
               "needs 9223372036854775808 bytes"),
          file("huge LONG4", "\x80\x02\x8b\xff\xff\xff\x7f\x01."s, "2, opcode LONG4",
               "needs 2147483647 bytes"),
          file("huge BINSTRING", "\x80\x02T\xff\xff\xff\xff."s, "2, opcode BINSTRING",
               "needs 4294967295 bytes"),
          file("huge FRAME", "\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\xffN."s, "2, opcode FRAME",
               "a frame of 18446744073709551615 bytes, but 2 bytes are left"),
          file("line without end", "\x80\x02"s + "ctorch", "2, opcode GLOBAL", "line without end"),
          file("number that is none", "\x80\x02I0x10\n."s, "2, opcode INT", "expected an integer"),
          file("SETITEM of a tuple", "\x80\x02)NNs."s, "5, opcode SETITEM",
               "expected a dict, found a tuple"),
          file("SETITEMS without a value", "\x80\x02}(NNNu."s, "7, opcode SETITEMS",
               "expected keys and values, found 3 items"),
          file("dict as a key", "\x80\x02}}Ns."s, "5, opcode SETITEM",
               "hashable key, found a dict"),
          file("BUILD of a number", "\x80\x02K\1}b."s, "5, opcode BUILD",
               "expected an object, found an integer"),
          file("REDUCE of a string", "\x80\x02X\1\0\0\0f)R."s, "9, opcode REDUCE",
               "expected a global, found a string"),
          file("REDUCE with a list", "\x80\x02"s + pickled_global("m", "f") + "]R.",
               "8, opcode REDUCE", "expected a tuple of arguments, found a list"),
          file("STACK_GLOBAL of numbers", "\x80\x04K\1K\2\x93."s, "6, opcode STACK_GLOBAL",
               "expected two strings, found an integer and an integer"),
          file("OBJ without a class", "\x80\x02(o."s, "3, opcode OBJ", "stack is empty"),
          file("OrderedDict of a number",
               "\x80\x02"s + pickled_global("collections", "OrderedDict") + "K\1\x85R.",
               "30, opcode REDUCE", "expected OrderedDict()"),
      },
      read_whole);
}

TEST_CASE("malformed pickle: what a checkpoint has to have") {
  const std::string cyclic = "}q\0"s + pickled("self") + "h\0s"s;
  const std::string weight = "}" + pickled("w") + tensor({2}, {1}) + "s";
  // Three dicts, each a hundred times in the next one, under keys that are remembered, too.
  std::string dicts = "(}";
  for (int i = 0; i < 3; ++i) {
    const std::string slot(1, static_cast<char>(i));
    dicts += "q"s + slot + "}(";
    for (int k = 0; k < 100; ++k) {
      dicts += "K"s + static_cast<char>(k) + "h"s + slot;
    }
    dicts += "u";
  }
  dicts += "q\5l0h\5"s;
  // What is allowed to whoever shares values, as a tree of JSON.
  constexpr std::size_t kUnfolded = std::size_t{1} << 20;
  const auto dict = [](std::initializer_list<std::pair<std::string_view, std::string>> entries) {
    return archive_of(pickle_of(pickled_dict(entries)));
  };
  check_refused(
      {
          {"a list", archive_of(pickle_of("]")), {"pickled object: expected a dict, found a list"}},
          {"no model", dict({{"args", "}"}}), {"no \"model\" inside"}},
          {"model is a list",
           archive_of_dict("}", "](NNe"),
           {"model: expected a dict, found a li"}},
          {"model is None", archive_of_dict("}", "N"), {"model: expected a dict, found None"}},
          {"model is a module",
           archive_of_dict("}", pickled_global("m", "Model") + ")\x81"),
           {"model: expected a dict, found an object"}},
          {"name is a number",
           archive_of_dict("}", "}K\7" + tensor({2}, {1}) + "s"),
           {"model: name of tensor 0: expected a string, found an integer"}},
          {"tensor twice",
           archive_of_dict(
               "}", "}(" + pickled("w") + tensor({2}, {1}) + pickled("w") + tensor({2}, {1}) + "u"),
           {"tensor w: is there twice"}},
          {"model within itself",
           archive_of_dict("}", "}q\0"s + pickled("w") + "h\0s"s),
           {"tensor w: expected a tensor, found a dict"}},
          {"no args, no cfg", dict({{"model", weight}}), {"no \"args\" and no \"cfg\" inside"}},
          {"args is a string",
           archive_of_dict(pickled("--lr 1"), weight),
           {"args: expected settings by name, found \"--lr 1\""}},
          {"args is a list", archive_of_dict("]", weight), {"args: expected settings by name"}},
          {"args within itself", archive_of_dict(cyclic, weight), {"setting arch: expected"}},
          {"args unfold",
           archive_of_dict(dicts, weight),
           {"args: settings unfold to more than"},
           kUnfolded},
          {"cfg is a number",
           dict({{"cfg", pickled(1)}, {"model", weight}}),
           {"cfg: expected settings by name, found an integer"}},
          {"arch is a number",
           archive_of_dict(pickled_dict({{"arch", pickled(1)}}), weight),
           {"setting arch"}},
          {"layers are negative",
           archive_of_dict(
               pickled_dict({{"arch", pickled("transformer")}, {"encoder_layers", pickled(-6)}}),
               weight),
           {"setting encoder_layers", "found -6"}},
      },
      read_whole);
}

TEST_CASE("malformed pickle: tensors") {
  const auto file = [](const std::string& name, const std::string& value,
                       const std::string& cause) {
    return Malformed{name, archive_of_tensor(value), {"tensor w: ", cause}};
  };
  const std::vector<std::int64_t> many(65, 1);
  const std::string good_id = storage_id(kFloatStorage, pickled("0"), pickled(6));
  check_refused(
      {
          file("a call of something else", pickled_global("os", "system") + pickled("ls") + "\x85R",
               "expected a tensor, found os.system"),
          file("a sparse tensor", pickled_global("torch._utils", "_rebuild_sparse_tensor") + ")R",
               "expected a tensor, found torch._utils._rebuild_sparse_tensor"),
          file("too few arguments",
               pickled_global("torch._utils", "_rebuild_tensor_v2") + "(" + good_id + "QtR",
               "expected at least 2 items, found 1"),
          file("a parameter of nothing",
               pickled_global("torch._utils", "_rebuild_parameter") + ")R",
               "expected at least 1 items"),
          file("no persistent id",
               pickled_global("torch._utils", "_rebuild_tensor_v2") + "(" + good_id + "tR",
               "expected a persistent id, found a tuple"),
          file("id is a number", tensor_of_storage(pickled(0)), "expected the persistent id of a"),
          file("id is of a module",
               tensor_of_storage(pickled_tuple({pickled("module"), "N", "N", "N", "N"})),
               "expected the persistent id of a storage"),
          file("storage class is a string",
               tensor_of_storage(storage_id(pickled("FloatStorage"), pickled("0"), pickled(6))),
               "expected a global, found a string"),
          file("storage key is a number",
               tensor_of_storage(storage_id(kFloatStorage, pickled(0), pickled(6))),
               "expected a string, found an integer"),
          file("storage key leads out of the folder",
               tensor_of_storage(storage_id(kFloatStorage, pickled("../data.pkl"), pickled(6))),
               "zip entry m/data/../data.pkl is missing"),
          file("count beyond 64 bits",
               tensor_of_storage(storage_id(kFloatStorage, pickled("0"),
                                            "\x8a\x09\xff\xff\xff\xff\xff\xff\xff\xff\x00"s)),
               "expected an integer, found an integer beyond 64 bits"),
          file("count overflows in bytes",
               tensor_of_storage(storage_id(kFloatStorage, pickled("0"), pickled(1LL << 61))),
               "overflows"),
          file("storage of quantized numbers",
               pickled_tensor({.storage_class = "QInt8Storage", .count = 24}),
               "torch.QInt8Storage"),
          file(
              "storage smaller than the entry",
              pickled_tensor({.count = 5, .shape = {5}, .strides = {1}}),
              "zip entry m/data/0: expected 20 bytes (5 elements of torch.FloatStorage), found 24"),
          file("no shape",
               pickled_global("torch._utils", "_rebuild_tensor_v2") + "(" + good_id + "Q" +
                   pickled(0) + pickled(2) + pickled_tuple({pickled(1)}) + "\x89NtR",
               "expected a list, found an integer"),
          file("shape of floats",
               pickled_global("torch._utils", "_rebuild_tensor_v2") + "(" + good_id + "Q" +
                   pickled(0) + "G\x40\0\0\0\0\0\0\0\x85"s + pickled_tuple({pickled(1)}) +
                   "\x89NtR",
               "expected an integer, found a float"),
          file("65 dimensions", tensor(many, many), "expected at most 64 dimensions, found 65"),
          file("more dimensions than strides", tensor({2, 3}, {1}), "expected 2 strides, found 1"),
          // 2^62 * 4 = 2^64 wraps around to 0.
          file("elements wrap around", tensor({1LL << 62, 4}, {0, 0}), "too many elements"),
          file("stride overflows", tensor({3, 2}, {1LL << 62, 1LL << 62}), "overflows"),
          file("view beyond the storage", tensor({4, 2}, {2, 1}), "outside of its storage of 6"),
          file("2^40 elements at one place", tensor({1 << 20, 1 << 20}, {0, 0}), "in a file of"),
          file("many elements at one place", tensor({1 << 20}, {0}), "in a file of"),
      },
      read_whole);
}

TEST_CASE("malformed pickle: tensors that share one storage too often") {
  // Each one is small enough; together they are not.
  std::string model;
  for (int i = 0; i < 200; ++i) {
    model += pickled("w" + std::to_string(i)) + tensor({1000}, {0});
  }
  check_refused({{"200 views", archive_of(fairseq_pickle(kArgs, model)), {"in a file of"}}},
                read_whole);
}

TEST_CASE("malformed pickle: values cost a multiple of their bytes, and not more") {
  // The shortest opcodes that make something: empty tuples, tuples around each other, numbers that
  // are remembered, and marks. What holds them is allowed to double once too often.
  constexpr std::size_t kBytesPerByte = 128;
  const std::size_t length = std::size_t{1} << 16;
  std::string remembered;
  for (std::size_t i = 0; i < length / 2; ++i) {
    remembered += ")\x94";
  }
  for (const std::string& opcodes : {std::string(length, ')'), ")" + std::string(length, '\x85'),
                                     remembered, std::string(length, '(')}) {
    const Bytes bytes = archive_of("\x80\x04" + opcodes + "]");
    const Refusal found = refusal(bytes, read_whole);
    CAPTURE(opcodes.substr(0, 4), bytes.size(), found.peak);
    CHECK_THAT(found.message, Catch::Matchers::Contains("m/data.pkl: pickle, byte "));
    CHECK(found.peak <= static_cast<std::int64_t>(kBytesPerByte * bytes.size()));
  }
}

TEST_CASE("malformed pickle: a thousand layers of many branches") {
  std::string kernels = "](";
  for (int i = 0; i < 1000; ++i) {
    kernels += pickled(3);
  }
  std::string branches = "](";
  for (int i = 0; i < 64; ++i) {
    branches += pickled("attn:1:8:1");
  }
  const std::string args =
      pickled("arch") + pickled("transformer_multibranch_v2") + pickled("encoder_embed_dim") +
      pickled(512) + pickled("encoder_branch_type") + branches + "e" + pickled("encoder_layers") +
      pickled(1000) + pickled("encoder_kernel_size_list") + kernels + "e";
  const std::string table = tensor({1, 6}, {6, 1});
  const std::string model = pickled("encoder.embed_tokens.weight") + table +
                            pickled("decoder.embed_tokens.weight") + table;
  check_refused({{"tensors of 1000 layers",
                  archive_of(fairseq_pickle(args, model)),
                  {"expected the tensors of 1000 + 6 layers, found 2 tensors"}}},
                read_whole);
}
