#include "formats/hdf5/hdf5.h"

#include <hdf5.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <functional>

#include "formats/files/file.h"
#include "formats/hdf5/object.h"
#include "model/base/error.h"
#include "tests/support/check_checkpoint.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/tiny_checkpoint.h"

namespace ltz::formats {
namespace {

using Catch::Matchers::Contains;
using Bytes = std::vector<std::byte>;

void check_round_trip(const Checkpoint& checkpoint) {
  const Bytes bytes = encode_hdf5(checkpoint);
  CHECK(is_hdf5(bytes));
  test::check_equal(decode_hdf5(bytes, "tiny.h5"), checkpoint);
}

// A written file after a change through the library; "accepted" or the error.
std::string reason(const std::function<void(hid_t file)>& change,
                   const Checkpoint& checkpoint = tiny_quantized_checkpoint(1)) {
  const test::TemporaryFolder folder;
  write_hdf5(checkpoint, folder.file("m.h5"));
  const hid_t file = H5Fopen(folder.file("m.h5").c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  REQUIRE(file >= 0);
  change(file);
  REQUIRE(H5Fclose(file) >= 0);
  try {
    decode_hdf5(read_file(folder.file("m.h5")), "m.h5");
  } catch (const FormatError& error) {
    return error.what();
  }
  return "accepted";
}

void replace_dataset(hid_t file, const std::string& path, hid_t type,
                     const std::vector<hsize_t>& dims, hid_t creation = H5P_DEFAULT) {
  if (H5Lexists(file, path.c_str(), H5P_DEFAULT) > 0) {
    H5Ldelete(file, path.c_str(), H5P_DEFAULT);
  }
  const hid_t space = H5Screate_simple(static_cast<int>(dims.size()), dims.data(), nullptr);
  const hid_t set = H5Dcreate2(file, path.c_str(), type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
  REQUIRE(set >= 0);
  H5Dclose(set);
  H5Sclose(space);
}

void write_text_attribute(hid_t object, const char* name, const char* text) {
  H5Adelete(object, name);
  const hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, H5T_VARIABLE);  // as h5py writes
  const hid_t space = H5Screate(H5S_SCALAR);
  const hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  REQUIRE(H5Awrite(attribute, type, &text) >= 0);
  H5Aclose(attribute);
  H5Sclose(space);
  H5Tclose(type);
}

// Of tiny_quantized_checkpoint(): the first tensors by name are a codebook, float16, a codebook.
const std::string kCodebook = "/tensors/decoder.embed_tokens.weight";  // (13, 8)

}  // namespace

TEST_CASE("hdf5: a checkpoint comes back exactly") {
  check_round_trip(tiny_checkpoint(1));
  check_round_trip(tiny_quantized_checkpoint(1));
  Checkpoint shared = tiny_checkpoint(2);
  shared.merges.clear();
  shared.target_vocabulary = shared.source_vocabulary;
  shared.config.target_vocabulary_size = shared.source_vocabulary.size();
  shared.tensors["decoder.embed_tokens.weight"] = shared.tensors["encoder.embed_tokens.weight"];
  check_round_trip(shared);
}

TEST_CASE("hdf5: the same checkpoint gives the same bytes") {
  const Checkpoint checkpoint = tiny_quantized_checkpoint(2);
  const Bytes bytes = encode_hdf5(checkpoint);
  CHECK(encode_hdf5(checkpoint) == bytes);
  CHECK(encode_hdf5(decode_hdf5(bytes, "tiny.h5")) == bytes);
  const test::TemporaryFolder folder;
  write_hdf5(checkpoint, folder.file("tiny.h5"));
  CHECK(read_file(folder.file("tiny.h5")) == bytes);
}

TEST_CASE("hdf5: files of other programs with the same contents are accepted") {
  CHECK(reason([](hid_t) {}) == "accepted");
  CHECK(reason([](hid_t f) { write_text_attribute(f, "format", "ltz-checkpoint"); }) == "accepted");
  // Words as strings of variable length.
  CHECK(reason([](hid_t f) {
          const hid_t type = H5Tcopy(H5T_C_S1);
          H5Tset_size(type, H5T_VARIABLE);
          H5Tset_cset(type, H5T_CSET_UTF8);
          const char* words[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i"};
          replace_dataset(f, "/vocabulary/target", type, {9});
          const hid_t set = H5Dopen2(f, "/vocabulary/target", H5P_DEFAULT);
          REQUIRE(H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, words) >= 0);
          H5Dclose(set);
          H5Tclose(type);
        }) == "accepted");
}

TEST_CASE("hdf5: datasets in other layouts with the same contents are accepted") {
  // The first nine words as a dataset with these properties, written by this version of HDF5.
  const auto words_again = [](hid_t type, H5D_layout_t layout, H5F_libver_t version) {
    return [=](hid_t f) {
      CHECK(H5Fset_libver_bounds(f, version, H5F_LIBVER_LATEST) >= 0);
      const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
      CHECK(H5Pset_layout(creation, layout) >= 0);
      replace_dataset(f, "/vocabulary/target", type, {9}, creation);
      const hid_t set = H5Dopen2(f, "/vocabulary/target", H5P_DEFAULT);
      CHECK(H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, "a b c d e f g h i ") >= 0);
      H5Dclose(set);
      H5Pclose(creation);
    };
  };
  const hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, 2);
  H5Tset_strpad(type, H5T_STR_SPACEPAD);
  for (const H5F_libver_t version : {H5F_LIBVER_EARLIEST, H5F_LIBVER_V18, H5F_LIBVER_LATEST}) {
    for (const H5D_layout_t layout : {H5D_CONTIGUOUS, H5D_COMPACT}) {
      CAPTURE(version, layout);
      CHECK(reason(words_again(type, layout, version)) == "accepted");
    }
  }
  H5Tclose(type);
  // The same floats, big-endian.
  CHECK(reason(
            [](hid_t f) {
              const std::string path = kCodebook + "/values";
              const hid_t before = H5Dopen2(f, path.c_str(), H5P_DEFAULT);
              std::vector<float> values(13 * 8);
              CHECK(H5Dread(before, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                            values.data()) >= 0);
              H5Dclose(before);
              replace_dataset(f, path, H5T_IEEE_F32BE, {13, 8});
              const hid_t after = H5Dopen2(f, path.c_str(), H5P_DEFAULT);
              CHECK(H5Dwrite(after, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                             values.data()) >= 0);
              H5Dclose(after);
            },
            tiny_checkpoint(1)) == "accepted");
}

TEST_CASE("hdf5: the checksum of metadata is lookup3") {
  const auto of = [](std::string_view text) { return lookup3(std::as_bytes(std::span(text))); };
  // From the comments in lookup3.c.
  CHECK(of("") == 0xDEADBEEF);
  CHECK(of("Four score and seven years ago") == 0x17770551);
}

TEST_CASE("hdf5: every truncation is refused") {
  const Bytes bytes = encode_hdf5(tiny_quantized_checkpoint(3));
  for (std::size_t length = 0; length < bytes.size(); length += length < 200 ? 1 : 97) {
    REQUIRE_THROWS_AS(decode_hdf5(std::span(bytes).first(length), "t.h5"), FormatError);
  }
}

TEST_CASE("hdf5: what is not HDF5 is refused") {
  CHECK_FALSE(is_hdf5({}));
  CHECK_THROWS_WITH(decode_hdf5({}, "m.h5"), "m.h5: expected an HDF5 file");
}

TEST_CASE("hdf5: each bad layout has its own reason") {
  CHECK_THAT(reason([](hid_t f) { H5Adelete(f, "config"); }), Contains("config is missing"));
  CHECK_THAT(reason([](hid_t f) { write_text_attribute(f, "format", "x"); }),
             Contains("attribute format"));
  CHECK_THAT(reason([](hid_t f) { write_text_attribute(f, "config", "{}"); }),
             Contains("is missing"));
  CHECK_THAT(reason([](hid_t f) { write_text_attribute(f, "version", "1"); }),
             Contains("integers"));
  CHECK_THAT(reason([](hid_t f) {
               const hid_t a = H5Aopen(f, "version", H5P_DEFAULT);
               const std::int64_t four = 4;
               H5Awrite(a, H5T_NATIVE_INT64, &four);
               H5Aclose(a);
             }),
             Contains("written by a newer ltz"));
  CHECK_THAT(reason([](hid_t f) { H5Ldelete(f, "merges", H5P_DEFAULT); }),
             Contains("merges is missing"));
  CHECK_THAT(reason([](hid_t f) { H5Lcreate_hard(f, "merges", f, "tensors/x", 0, 0); }),
             Contains("of the configuration, found 55"));
  CHECK_THAT(reason([](hid_t f) {
               H5Ldelete(f, "merges", H5P_DEFAULT);
               H5Lcreate_soft("/vocabulary/source", f, "merges", H5P_DEFAULT, H5P_DEFAULT);
             }),
             Contains("merges: expected \"left right\", found \"source0\""));
  CHECK_THAT(reason([](hid_t f) {
               H5Ldelete(f, "merges", H5P_DEFAULT);
               H5Lcreate_external("/etc/passwd", "/", f, "merges", H5P_DEFAULT, H5P_DEFAULT);
             }),
             Contains("merges: expected a hard or soft link, found an external one"));
}

TEST_CASE("hdf5: each bad tensor has its own reason") {
  const auto refused = [](const std::function<void(hid_t)>& change, const char* why) {
    CHECK_THAT(reason(change), Contains("tensor decoder.embed_tokens.weight") && Contains(why));
  };
  refused(
      [](hid_t f) {
        replace_dataset(f, kCodebook + "/codes", H5T_STD_U8LE, {13, 7});
      },
      "expected shape (13, 8), found (13, 7)");
  refused(
      [](hid_t f) {
        replace_dataset(f, kCodebook + "/codes", H5T_IEEE_F32LE, {13, 8});
      },
      "codes: expected elements of type uint8 or other integers");
  refused([](hid_t f) { replace_dataset(f, kCodebook + "/codebook", H5T_IEEE_F32LE, {257}); },
          "at most 256");
  refused([](hid_t f) { replace_dataset(f, kCodebook + "/codebook", H5T_STD_I32LE, {4}); },
          "codebook: expected elements of type float32 or other floats");
  refused(
      [](hid_t f) {
        const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
        H5Pset_external(creation, "/etc/passwd", 0, 104);
        replace_dataset(f, kCodebook + "/codes", H5T_STD_U8LE, {13, 8}, creation);
        H5Pclose(creation);
      },
      "in another");
  refused(
      [](hid_t f) {
        const hid_t mask = H5Dopen2(f, (kCodebook + "/mask").c_str(), H5P_DEFAULT);
        const std::vector<std::uint8_t> ones(13 * 8, 1);
        H5Dwrite(mask, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, ones.data());
        H5Dclose(mask);
      },
      "mask: expected 1");
  refused(
      [](hid_t f) {
        const hid_t codes = H5Dopen2(f, (kCodebook + "/codes").c_str(), H5P_DEFAULT);
        const std::vector<std::uint8_t> nines(13 * 8, 9);
        H5Dwrite(codes, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, nines.data());
        H5Dclose(codes);
      },
      "code 9 has no centroid");
}

TEST_CASE("hdf5: the zeros are the mask where none is written") {
  CHECK(reason([](hid_t f) { H5Ldelete(f, (kCodebook + "/mask").c_str(), H5P_DEFAULT); }) ==
        "accepted");
  // One of ones, as truth values.
  Checkpoint dense = tiny_checkpoint(1);
  Tensor& bias = dense.tensors.at("encoder.layers.0.fc1.bias");
  bias = dense_tensor({12}, std::vector<float>(12, 2.0f), Precision::kFloat32);
  const auto add_mask = [](std::int8_t value) {
    return [value](hid_t f) {
      const std::int8_t no = 0;
      const std::int8_t yes = 1;
      const hid_t truth = H5Tenum_create(H5T_STD_I8LE);
      H5Tenum_insert(truth, "FALSE", &no);
      H5Tenum_insert(truth, "TRUE", &yes);
      const std::string path = "/tensors/encoder.layers.0.fc1.bias/mask";
      replace_dataset(f, path, truth, {12});
      const hid_t set = H5Dopen2(f, path.c_str(), H5P_DEFAULT);
      const std::vector<std::int8_t> mask(12, value);
      CHECK(H5Dwrite(set, truth, H5S_ALL, H5S_ALL, H5P_DEFAULT, mask.data()) >= 0);
      H5Dclose(set);
      H5Tclose(truth);
    };
  };
  CHECK(reason(add_mask(1), dense) == "accepted");
  CHECK_THAT(reason(add_mask(0), dense), Contains("mask: expected 1 for a kept"));
}

TEST_CASE("hdf5: bfloat16 is stored as its bits") {
  Checkpoint checkpoint = tiny_checkpoint(5);
  Tensor& bias = checkpoint.tensors.at("encoder.layers.0.fc1.bias");
  std::vector<float> values(12, -3.0f);
  values[3] = 0x1p-133f;  // the smallest
  bias = dense_tensor({12}, std::move(values), Precision::kBFloat16);
  check_round_trip(checkpoint);
  const std::string path = "/tensors/encoder.layers.0.fc1.bias/values";
  CHECK(reason(
            [&](hid_t f) {
              std::vector<std::uint16_t> bits(12);
              const hid_t set = H5Dopen2(f, path.c_str(), H5P_DEFAULT);
              REQUIRE(H5Dread(set, H5T_NATIVE_UINT16, H5S_ALL, H5S_ALL, H5P_DEFAULT, bits.data()) >=
                      0);
              H5Dclose(set);
              CHECK(bits[0] == 0xC040);
              CHECK(bits[3] == 1);
            },
            checkpoint) == "accepted");
  CHECK_THAT(reason([&](hid_t f) { replace_dataset(f, path, H5T_IEEE_F32LE, {12}); }, checkpoint),
             Contains("expected elements of type uint16 (the bits of bfloat16)"));
}

TEST_CASE("hdf5: row scales are stored as their bytes, one for each row") {
  Checkpoint checkpoint = tiny_checkpoint(6);
  const std::string name = "decoder.layers.0.self_attn.branches.1.weight";  // (2, 1, 5)
  QuantizedValues quantized{{-1.0f, 0.5f}, std::vector<std::uint8_t>(10, 1), {120, 136}};
  checkpoint.tensors.at(name).data = quantized;
  check_round_trip(checkpoint);
  const std::string path = "/tensors/" + name + "/row_scales";
  CHECK(reason(
            [&](hid_t f) {
              std::vector<std::uint8_t> scales(2);
              const hid_t set = H5Dopen2(f, path.c_str(), H5P_DEFAULT);
              REQUIRE(H5Dread(set, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                              scales.data()) >= 0);
              H5Dclose(set);
              CHECK(scales == quantized.row_scales);
            },
            checkpoint) == "accepted");
  CHECK_THAT(reason([&](hid_t f) { replace_dataset(f, path, H5T_STD_U8LE, {10}); }, checkpoint),
             Contains("tensor " + name + ": row_scales: expected shape (2), found (10)"));
  std::get<QuantizedValues>(checkpoint.tensors.at(name).data).row_scales.clear();
  CHECK(reason([&](hid_t f) { CHECK(H5Lexists(f, path.c_str(), H5P_DEFAULT) == 0); }, checkpoint) ==
        "accepted");
}

TEST_CASE("hdf5: words and tensors that cannot be stored exactly are refused") {
  Checkpoint checkpoint = tiny_checkpoint(4);
  auto words = checkpoint.source_vocabulary.words();
  words[0] = std::string("a\0b", 3);
  checkpoint.source_vocabulary = Vocabulary(words);
  CHECK_THROWS_WITH(encode_hdf5(checkpoint), Contains("NUL"));
  checkpoint = tiny_quantized_checkpoint(4);
  std::get<QuantizedValues>(checkpoint.tensors.begin()->second.data).codes[0] = 200;
  CHECK_THROWS_AS(encode_hdf5(checkpoint), FormatError);
}

}  // namespace ltz::formats
