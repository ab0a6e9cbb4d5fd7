#include "tests/support/hdf5_layouts.h"

#include <hdf5.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "formats/files/file.h"
#include "formats/hdf5/hdf5.h"
#include "model/base/error.h"
#include "tests/support/check_checkpoint.h"
#include "tests/support/sentence_piece_bytes.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/tiny_checkpoint.h"

namespace ltz::formats {
namespace {

// All encodings, and a SentencePiece model.
Checkpoint checkpoint_of_all_kinds() {
  Checkpoint checkpoint = tiny_quantized_checkpoint(1);
  checkpoint.merges.clear();
  checkpoint.sentencepiece =
      test::sentence_piece_bytes({.pieces = {{"<unk>", 0.0f, SentencePieceModel::Type::kUnknown}}});
  checkpoint.tensors.at("encoder.layers.0.fc1.bias") =
      dense_tensor({12}, std::vector<float>(12, -3.0f), Precision::kBFloat16);
  checkpoint.tensors.at("decoder.layers.0.self_attn.branches.1.weight").data =
      QuantizedValues{{-1.0f, 0.5f}, std::vector<std::uint8_t>(10, 1), {120, 136}};  // (2, 1, 5)
  return checkpoint;
}

}  // namespace

TEST_CASE("hdf5: what the library writes in other layouts is read") {
  for (const test::Hdf5Layout& layout : test::hdf5_layouts()) {
    CAPTURE(layout.name);
    for (const Checkpoint& checkpoint : {tiny_checkpoint(1), checkpoint_of_all_kinds()}) {
      const auto bytes = test::hdf5_in_layout(checkpoint, layout);
      CHECK(is_hdf5(bytes));
      CHECK_THROWS_AS(read_plain_hdf5(bytes, "m.h5"), FormatError);
      test::check_equal(decode_hdf5(bytes, "m.h5"), checkpoint);
    }
  }
}

TEST_CASE("hdf5: wider floats are rounded to what the encoding says") {
  const std::string name = "encoder.layers.0.fc1.bias";  // (12)
  for (const Precision precision : {Precision::kFloat32, Precision::kFloat16}) {
    Checkpoint checkpoint = tiny_checkpoint(1);
    checkpoint.tensors.at(name) = dense_tensor({12}, std::vector<float>(12, 2.0f), precision);
    const test::TemporaryFolder folder;
    write_hdf5(checkpoint, folder.file("m.h5"));
    const hid_t file = H5Fopen(folder.file("m.h5").c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
    const std::string path = "/tensors/" + name + "/values";
    H5Ldelete(file, path.c_str(), H5P_DEFAULT);
    const hsize_t count = 12;
    const hid_t space = H5Screate_simple(1, &count, nullptr);
    const hid_t set = H5Dcreate2(file, path.c_str(), H5T_IEEE_F64LE, space, H5P_DEFAULT,
                                 H5P_DEFAULT, H5P_DEFAULT);
    H5Sclose(space);
    std::vector<double> values(12, 1.0 / 3);
    values[1] = 1 + 0x1p-11;  // between two of float16: the even one
    values[2] = 1e-9;
    CHECK(H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) >= 0);
    H5Dclose(set);
    H5Fclose(file);
    const auto found =
        decode_hdf5(read_file(folder.file("m.h5")), "m.h5").tensors.at(name).values();
    const bool half = precision == Precision::kFloat16;
    CHECK(found[0] == (half ? 0.333251953125f : 1.0f / 3));
    CHECK(found[1] == (half ? 1.0f : 1 + 0x1p-11f));
    CHECK(found[2] == (half ? 0.0f : 1e-9f));
  }
}

TEST_CASE("hdf5: other layouts are read by several threads while others write") {
  const Checkpoint checkpoint = tiny_quantized_checkpoint(1);
  const auto bytes = test::hdf5_in_layout(checkpoint, test::hdf5_layouts().back());
  const auto plain = encode_hdf5(checkpoint);
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int n = 0; n < 5; ++n) {
        right += i % 2 == 0 ? encode_hdf5(checkpoint) == plain
                            : decode_hdf5(bytes, "m.h5").tensors == checkpoint.tensors;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  CHECK(right == 20);
}

}  // namespace ltz::formats
