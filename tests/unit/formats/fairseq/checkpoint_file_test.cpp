#include "formats/fairseq/checkpoint_file.h"

#include <catch2/catch.hpp>
#include <limits>
#include <optional>
#include <string>

#include "model/base/error.h"
#include "tests/support/pickle_builder.h"

using namespace ltz;
using namespace ltz::formats;
using namespace ltz::test;
using Catch::Matchers::Contains;
using namespace std::string_literals;

namespace {

// 0, 1, …, 5 as float32.
const std::string kSixFloats =
    "\0\0\0\0\0\0\x80\x3f\0\0\0\x40\0\0\x40\x40\0\0\x80\x40\0\0\xa0\x40"s;

std::string object_with(const PickledTensor& tensor) {
  return fairseq_pickle(pickled("arch") + pickled("transformer"),
                        pickled("w") + pickled_tensor(tensor));
}

std::vector<std::byte> zip_with(const PickledTensor& tensor, const std::string& storage) {
  return zip_of({{"m/data.pkl", object_with(tensor)}, {"m/data/0", storage}, {"m/version", "3\n"}});
}

TorchTensor read_tensor(const PickledTensor& tensor, const std::string& storage) {
  return read_torch_checkpoint(zip_with(tensor, storage), "f.pt").tensors.at("w");
}

void refuses(const std::vector<std::byte>& bytes, const std::string& reason) {
  REQUIRE_THROWS_AS(read_torch_checkpoint(bytes, "f.pt"), FormatError);
  CHECK_THROWS_WITH(read_torch_checkpoint(bytes, "f.pt"), Contains("f.pt: ") && Contains(reason));
}

void refuses_tensor(const PickledTensor& tensor, const std::string& reason) {
  CAPTURE(ltz::to_string(tensor.shape), ltz::to_string(tensor.strides), tensor.offset);
  refuses(zip_with(tensor, kSixFloats), reason);
}

bool same(const TorchCheckpoint& a, const TorchCheckpoint& b) {
  return a.args == b.args && a.tensors.size() == b.tensors.size() &&
         std::equal(a.tensors.begin(), a.tensors.end(), b.tensors.begin(),
                    [](const auto& x, const auto& y) {
                      return x.first == y.first && x.second.shape == y.second.shape &&
                             x.second.floats == y.second.floats &&
                             x.second.integers == y.second.integers;
                    });
}

// std::nullopt where the file is refused.
std::optional<TorchCheckpoint> try_read(const std::vector<std::byte>& bytes) {
  try {
    return read_torch_checkpoint(bytes, "f.pt");
  } catch (const FormatError&) {
    return std::nullopt;
  }
}

}  // namespace

TEST_CASE("views of a storage: contiguous, transposed, expanded, scalar, empty") {
  using Floats = std::vector<float>;
  CHECK(read_tensor({.count = 6, .shape = {2, 3}, .strides = {3, 1}}, kSixFloats).floats ==
        Floats{0, 1, 2, 3, 4, 5});
  CHECK(read_tensor({.count = 6, .shape = {3, 2}, .strides = {1, 3}}, kSixFloats).floats ==
        Floats{0, 3, 1, 4, 2, 5});
  CHECK(read_tensor({.count = 6, .offset = 2, .shape = {2, 2}, .strides = {0, 1}}, kSixFloats)
            .floats == Floats{2, 3, 2, 3});
  CHECK(read_tensor({.count = 6, .offset = 5}, kSixFloats).floats == Floats{5});
  CHECK(read_tensor({.count = 6, .offset = 6, .shape = {0, 4}, .strides = {4, 1}}, kSixFloats)
            .floats.empty());
}

TEST_CASE("every type of element") {
  using Floats = std::vector<float>;
  const std::vector<std::int64_t> shape = {2};
  const std::vector<std::int64_t> strides = {1};
  const auto read = [&](const char* type, const std::string& storage) {
    return read_tensor({.storage_class = type, .count = 2, .shape = shape, .strides = strides},
                       storage);
  };
  CHECK(read("HalfStorage", "\x00\xbc\x01\x00"s).floats == Floats{-1.0f, 0x1p-24f});
  CHECK(read("HalfStorage", "\xff\x7b\x00\x7c"s).floats ==
        Floats{65504.0f, std::numeric_limits<float>::infinity()});
  CHECK(read("BFloat16Storage", "\x80\x3f\x40\xc0"s).floats == Floats{1.0f, -3.0f});
  CHECK(read("DoubleStorage", "\0\0\0\0\0\0\xf8\x3f\0\0\0\0\0\0\0\0"s).floats == Floats{1.5f, 0});
  CHECK(read("IntStorage", "\xff\xff\xff\xff\x02\0\0\0"s).integers ==
        std::vector<std::int64_t>{-1, 2});
  CHECK(read("LongStorage", "\0\0\0\0\x01\0\0\0\xfe\xff\xff\xff\xff\xff\xff\xff"s).integers ==
        std::vector<std::int64_t>{std::int64_t{1} << 32, -2});
  refuses(zip_with({.storage_class = "BoolStorage", .count = 1}, "\1"), "torch.BoolStorage");
  refuses(zip_with({.storage_class = "NewStorage", .count = 1}, "\1"), "torch.NewStorage");
}

TEST_CASE("views outside of their storage are refused by name") {
  const std::int64_t huge = std::numeric_limits<std::int64_t>::max();
  refuses_tensor({.count = 6, .shape = {7}, .strides = {1}}, "tensor w: ");
  refuses_tensor({.count = 6, .shape = {7}, .strides = {1}}, "outside of its storage of 6");
  refuses_tensor({.count = 6, .shape = {2, 3}, .strides = {4, 1}}, "outside");
  refuses_tensor({.count = 6, .offset = 6}, "outside");
  refuses_tensor({.count = 6, .offset = 7, .shape = {0}, .strides = {1}}, "outside");
  refuses_tensor({.count = 6, .offset = -1, .shape = {2}, .strides = {1}}, "outside");
  refuses_tensor({.count = 6, .shape = {2}, .strides = {-1}}, "negative stride");
  refuses_tensor({.count = 6, .shape = {-1}, .strides = {1}}, "negative dimension");
  refuses_tensor({.count = 6, .shape = {2}, .strides = {huge}}, "outside");
  refuses_tensor({.count = 6, .shape = {3}, .strides = {huge}}, "overflows");
  refuses_tensor({.count = 6, .offset = huge, .shape = {2}, .strides = {1}}, "overflows");
  refuses_tensor({.count = 6, .shape = {huge, 3}, .strides = {0, 1}}, "too many elements");
  // 2^32 * 2^32 = 2^64 would wrap around to 0.
  refuses_tensor({.count = 6, .shape = {1LL << 32, 1LL << 32}, .strides = {0, 0}}, "too many");
  refuses_tensor({.count = 6, .shape = {1LL << 40}, .strides = {0}}, "elements in a file of");
  refuses_tensor({.count = 6, .shape = {2, 3}, .strides = {1}}, "expected 2 strides");
  refuses_tensor({.count = 7, .shape = {2}, .strides = {1}}, "expected 28 bytes");
  refuses_tensor({.count = huge, .shape = {2}, .strides = {1}}, "overflows");
  refuses_tensor({.count = -1, .shape = {2}, .strides = {1}}, "-1 elements");
  refuses_tensor({.key = "1", .count = 6, .shape = {2}, .strides = {1}}, "m/data/1 is missing");
}

TEST_CASE("two tensors may share a storage, but not disagree on its type") {
  const auto model = [](const PickledTensor& a, const PickledTensor& b) {
    const std::string object =
        fairseq_pickle("", pickled("a") + pickled_tensor(a) + pickled("b") + pickled_tensor(b));
    return zip_of({{"m/data.pkl", object}, {"m/data/0", kSixFloats}});
  };
  const TorchCheckpoint read =
      read_torch_checkpoint(model({.count = 6, .shape = {3}, .strides = {1}},
                                  {.count = 6, .offset = 3, .shape = {3}, .strides = {1}}),
                            "f.pt");
  CHECK(read.tensors.at("a").floats == std::vector<float>{0, 1, 2});
  CHECK(read.tensors.at("b").floats == std::vector<float>{3, 4, 5});
  refuses(model({.count = 6}, {.count = 5}), "two sizes");
}

TEST_CASE("an archive may have been packed anew by other tools") {
  const std::vector<float> expected = {0, 1, 2, 3, 4, 5};
  const std::string object = object_with({.count = 6, .shape = {6}, .strides = {1}});
  const auto read = [&](const std::vector<ZipEntry>& entries) {
    return read_torch_checkpoint(zip_of(entries), "f.pt").tensors.at("w").floats;
  };
  CHECK(read({{"m/data.pkl", object, true}, {"m/data/0", kSixFloats, true}}) == expected);
  CHECK(read({{"other name/", ""},
              {"other name/data/", ""},
              {"other name/data/0", kSixFloats, true},
              {"other name/.data/serialization_id", "0123"},
              {"other name/data.pkl", object}}) == expected);

  // A matrix of one value shrinks to a thousandth.
  const std::string constant = object_with({.count = 100'000, .shape = {100'000}, .strides = {1}});
  const std::string zeros(400'000, '\0');
  const auto bytes = zip_of({{"m/data.pkl", constant, true}, {"m/data/0", zeros, true}});
  CHECK(bytes.size() < 2000);
  CHECK(read_torch_checkpoint(bytes, "f.pt").tensors.at("w").floats == std::vector<float>(100'000));
}

TEST_CASE("a checkpoint of a big-endian machine") {
  const std::string storage = "\x3f\x80\0\0\xc0\0\0\0"s;
  const auto bytes =
      zip_of({{"m/data.pkl", object_with({.count = 2, .shape = {2}, .strides = {1}})},
              {"m/data/0", storage},
              {"m/byteorder", "big"}});
  CHECK(read_torch_checkpoint(bytes, "f.pt").tensors.at("w").floats == std::vector<float>{1, -2});
}

TEST_CASE("archives that torch does not write are refused") {
  const std::string object = object_with({.count = 6});
  refuses(zip_of({{"m/other", object}}), "no data.pkl");
  refuses(zip_of({{"a/data.pkl", object}, {"b/data.pkl", object}}), "expected one data.pkl");
  refuses(zip_of({{"m/data.pkl", object + "x"}, {"m/data/0", kSixFloats}}), "after the pickle");
  refuses(zip_of({{"m/data.pkl", object}, {"m/data/0", kSixFloats}, {"m/byteorder", "odd"}}),
          "expected little or big, found odd");
  CHECK_NOTHROW(read_torch_checkpoint(
      zip_of({{"m/data.pkl", object}, {"m/data/0", kSixFloats}, {"m/byteorder", "little"}}), ""));
  refuses(zip_of({{"m/data.pkl", pickle_of(pickled("text"))}}), "expected a dict, found a string");
  refuses(zip_of({{"m/data.pkl", pickle_of("}")}}), "no \"model\"");
  refuses(zip_of({{"m/data.pkl", pickle_of(pickled_dict({{"model", "}"}}))}}), "no \"args\"");
  refuses(zip_of({{"m/data.pkl", fairseq_pickle("", pickled("w") + "cos\nsystem\n)R")}}),
          "tensor w: expected a tensor, found os.system");
  refuses(to_bytes("neither"), "something else");
  refuses({}, "something else");
  std::string tar(512, '\0');
  tar.replace(257, 5, "ustar");
  CHECK(is_torch_checkpoint(to_bytes(tar)));
  refuses(to_bytes(tar), "torch < 0.2");
}

TEST_CASE("entries of the same name are refused") {
  std::vector<std::byte> bytes = zip_of(
      {{"m/data.pkl", object_with({.count = 6})}, {"m/data/0", kSixFloats}, {"m/data/1", ""}});
  // The name is in the local header and in the directory.
  std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  for (std::size_t at = 0; (at = text.find("m/data/1", at)) != std::string::npos; ++at) {
    text[at + 7] = '0';
  }
  refuses(to_bytes(text), "");
}

TEST_CASE("the settings of fairseq 1.0") {
  const std::string space = pickled_global("argparse", "Namespace") + ")\x81}" + pickled("_name") +
                            pickled("transformer") + "sb";
  const std::string cfg =
      pickled_dict({{"model", space}, {"task", pickled_dict({{"source_lang", pickled("en")}})}});
  const std::string object = pickle_of(pickled_dict({{"args", "N"}, {"cfg", cfg}, {"model", "}"}}));
  const TorchCheckpoint read = read_torch_checkpoint(zip_of({{"m/data.pkl", object}}), "f.pt");
  CHECK(read.args["arch"] == "transformer");
  CHECK(read.args["source_lang"] == "en");
}

TEST_CASE("containers of OmegaConf are what is in them") {
  // Each refers to itself where the real ones refer to what is around them.
  const auto wrapped = [](const char* module, const char* type, const char* attribute,
                          const std::string& inside) {
    return pickled_global(module, type) + ")\x81q"s + '\0' + "}(" + pickled("_parent") + "h"s +
           '\0' + pickled(attribute) + inside + "ub";
  };
  const auto node = [&](const std::string& value) {
    return wrapped("omegaconf.nodes", "AnyNode", "_val", value);
  };
  const auto dict = [&](const std::string& content) {
    return wrapped("omegaconf.dictconfig", "DictConfig", "_content", content);
  };
  const std::string list = wrapped("omegaconf.listconfig", "ListConfig", "_content",
                                   "](" + node(pickled(3)) + node(pickled(7)) + "e");
  const std::string model =
      dict(pickled_dict({{"_name", node(pickled("transformer"))},
                         {"encoder_kernel_size_list", list},
                         {"layers_to_keep", dict("N")},
                         {"decoder", dict(pickled_dict({{"layers", node(pickled(2))}}))}}));
  const std::string object =
      pickle_of(pickled_dict({{"cfg", dict(pickled_dict({{"model", model}}))}, {"model", "}"}}));
  const TorchCheckpoint read = read_torch_checkpoint(zip_of({{"m/data.pkl", object}}), "f.pt");
  CHECK(read.args == nlohmann::json{{"_name", "transformer"},
                                    {"arch", "transformer"},
                                    {"encoder_kernel_size_list", {3, 7}},
                                    {"layers_to_keep", nullptr},
                                    {"decoder_layers", 2}});
}

TEST_CASE("the stream of torch < 1.6, with views and optimizer state") {
  const PickledTensor tensor{.count = 6,
                             .shape = {2},
                             .strides = {2},
                             .stream = true,
                             .view = pickled_tuple({pickled("v"), pickled(1), pickled(4)})};
  const auto object = [&](const PickledTensor& weight) {
    const std::string state = pickled_tensor({.key = "9",
                                              .storage_class = "ByteStorage",
                                              .count = 3,
                                              .shape = {3},
                                              .strides = {1},
                                              .stream = true});
    return pickle_of(pickled_dict({{"args", pickled_dict({{"arch", pickled("transformer")}})},
                                   {"last_optimizer_state", state},
                                   {"model", pickled_dict({{"w", pickled_tensor(weight)}})}}));
  };
  const std::vector<StreamStorage> storages = {{"9", 3, "abc"}, {"0", 6, kSixFloats}};
  const std::vector<std::byte> bytes = stream_of(object(tensor), storages);
  CHECK(is_torch_checkpoint(bytes));
  const TorchCheckpoint read = read_torch_checkpoint(bytes, "f.pt");
  CHECK(read.tensors.size() == 1);
  CHECK(read.tensors.at("w").floats == std::vector<float>{1, 3});

  for (std::size_t length = 0; length < bytes.size(); ++length) {
    CAPTURE(length);
    CHECK_THROWS_AS(read_torch_checkpoint({bytes.data(), length}, "f.pt"), FormatError);
  }
  PickledTensor outside = tensor;
  outside.view = pickled_tuple({pickled("v"), pickled(3), pickled(4)});
  refuses(stream_of(object(outside), storages), "lies outside of storage 0");
  outside.view = pickled_tuple({pickled("v"), pickled(1), pickled(2)});
  refuses(stream_of(object(outside), storages), "outside of its storage of 2");
  refuses(stream_of(object(tensor), {{"9", 3, "abc"}}), "storage 0 is missing");
  refuses(stream_of(object(tensor), {{"9", 3, "abc"}, {"0", 5, kSixFloats}}),
          "expected 6 elements");
  refuses(stream_of(object(tensor), {{"9", 3, "abc"}, {"7", 1, "a"}}), "does not belong");
  refuses(stream_of(object(tensor), {{"9", 3, "abc"}, {"9", 3, "abc"}}), "twice");
  refuses(stream_of(object(tensor), {{"9", 3, "abc"}, {"0", 6, kSixFloats + "x"}}),
          "1 bytes after");
}

TEST_CASE("a damaged archive is refused or means the same") {
  const std::vector<std::byte> bytes =
      zip_with({.count = 6, .shape = {2, 3}, .strides = {3, 1}}, kSixFloats);
  const TorchCheckpoint original = read_torch_checkpoint(bytes, "f.pt");
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    CAPTURE(length);
    CHECK_THROWS_AS(read_torch_checkpoint({bytes.data(), length}, "f.pt"), FormatError);
  }
  // Bits that say nothing about the content, a date for example, may be any.
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    std::vector<std::byte> damaged = bytes;
    damaged[bit / 8] ^= std::byte{1} << (bit % 8);
    const std::optional<TorchCheckpoint> read = try_read(damaged);
    if (read && !same(*read, original)) {
      FAIL("bit " << bit << " changes what is read");
    }
  }
}
