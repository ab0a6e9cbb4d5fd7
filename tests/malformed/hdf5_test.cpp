// .h5 files that HDF5's own library damages. HDF5.md has the layout.

#include <hdf5.h>

#include <unistd.h>
#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <functional>
#include <string>

#include "formats/file.h"
#include "formats/hdf5.h"
#include "malformed.h"
#include "tests/unit/pickle_builder.h"
#include "tests/unit/tiny_checkpoint.h"

using namespace ltz;
using namespace ltz::formats;
using namespace ltz::test;
using namespace std::string_literals;

namespace {

void read_whole(std::span<const std::byte> bytes, const std::string& name) {
  read_hdf5(bytes, name);
}

// Of tiny_quantized_checkpoint(1), in the order of the names: a codebook of nine centroids with
// zeros among them, then float16 values.
const std::string kCodebook = "decoder.embed_tokens.weight";              // (13, 8)
const std::string kHalves = "decoder.layers.0.encoder_attn.k_proj.bias";  // (8)

// A good file after a change through the library.
Bytes h5_with(const std::function<void(hid_t)>& change) {
  const std::filesystem::path path = std::filesystem::temp_directory_path() /
                                     ("ltz-malformed-" + std::to_string(getpid()) + ".h5");
  write_hdf5(tiny_quantized_checkpoint(1), path);
  const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  change(file);
  REQUIRE(H5Fclose(file) >= 0);
  Bytes bytes = read_file(path);
  std::filesystem::remove(path);
  return bytes;
}

// What a new dataset is like; its elements are bytes of `content`, repeated.
struct Dataset {
  hid_t type = H5T_STD_U8LE;
  std::vector<hsize_t> shape = {13, 8};
  hid_t creation = H5P_DEFAULT;
  int content = 0;
  bool written = true;
};

void replace(hid_t file, const std::string& path, const Dataset& dataset) {
  if (H5Lexists(file, path.c_str(), H5P_DEFAULT) > 0) {
    H5Ldelete(file, path.c_str(), H5P_DEFAULT);
  }
  const int rank = static_cast<int>(dataset.shape.size());
  const hid_t space = H5Screate_simple(rank, dataset.shape.data(), nullptr);
  const hid_t id = H5Dcreate2(file, path.c_str(), dataset.type, space, H5P_DEFAULT,
                              dataset.creation, H5P_DEFAULT);
  REQUIRE(id >= 0);
  if (dataset.written) {
    const auto size =
        static_cast<std::size_t>(H5Sget_simple_extent_npoints(space)) * H5Tget_size(dataset.type);
    const std::vector<std::uint8_t> bytes(size, static_cast<std::uint8_t>(dataset.content));
    REQUIRE(H5Dwrite(id, dataset.type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data()) >= 0);
  }
  H5Dclose(id);
  H5Sclose(space);
}

void unlink(hid_t file, const std::string& path) {
  REQUIRE(H5Ldelete(file, path.c_str(), H5P_DEFAULT) >= 0);
}

void set_text(hid_t file, const std::string& object, const char* name, const std::string& text) {
  const hid_t id = H5Oopen(file, object.c_str(), H5P_DEFAULT);
  H5Adelete(id, name);
  const hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, std::max<std::size_t>(text.size(), 1));
  const hid_t space = H5Screate(H5S_SCALAR);
  const hid_t attribute = H5Acreate2(id, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  REQUIRE(H5Awrite(attribute, type, text.data()) >= 0);
  H5Aclose(attribute);
  H5Sclose(space);
  H5Tclose(type);
  H5Oclose(id);
}

void set_integers(hid_t file, const std::string& object, const char* name,
                  const std::vector<std::int64_t>& values) {
  const hid_t id = H5Oopen(file, object.c_str(), H5P_DEFAULT);
  H5Adelete(id, name);
  const hsize_t count = values.size();
  const hid_t space = H5Screate_simple(1, &count, nullptr);
  const hid_t attribute = H5Acreate2(id, name, H5T_STD_I64LE, space, H5P_DEFAULT, H5P_DEFAULT);
  REQUIRE(H5Awrite(attribute, H5T_NATIVE_INT64, values.data()) >= 0);
  H5Aclose(attribute);
  H5Sclose(space);
  H5Oclose(id);
}

template <typename Element>
void write_elements(hid_t file, const std::string& path, hid_t type,
                    const std::vector<Element>& values) {
  const hid_t id = H5Dopen2(file, path.c_str(), H5P_DEFAULT);
  REQUIRE(H5Dwrite(id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) >= 0);
  H5Dclose(id);
}

// A change of one tensor; the message has to name it.
Malformed tensor(const std::string& name, const std::string& tensor_name,
                 const std::function<void(hid_t, const std::string&)>& change,
                 const std::string& cause) {
  return {name,
          h5_with([&](hid_t file) { change(file, "/tensors/" + tensor_name); }),
          {"tensor " + tensor_name + ": ", cause}};
}

Malformed codebook(const std::string& name,
                   const std::function<void(hid_t, const std::string&)>& change,
                   const std::string& cause) {
  return tensor(name, kCodebook, change, cause);
}

// "codes" of the codebook tensor, made anew with these properties.
Malformed codes(const std::string& name, const Dataset& dataset, const std::string& cause) {
  return codebook(
      name, [&](hid_t f, const std::string& path) { replace(f, path + "/codes", dataset); },
      "codes: " + cause);
}

// "row_scales" beside them.
Malformed row_scales(const std::string& name, const Dataset& dataset, const std::string& cause) {
  return codebook(
      name, [&](hid_t f, const std::string& path) { replace(f, path + "/row_scales", dataset); },
      cause);
}

// Creation properties that are closed with the test.
class Creation {
 public:
  Creation() : id_(H5Pcreate(H5P_DATASET_CREATE)) {}
  ~Creation() { H5Pclose(id_); }
  Creation(const Creation&) = delete;
  Creation& operator=(const Creation&) = delete;
  hid_t id() const { return id_; }

 private:
  hid_t id_;
};

}  // namespace

TEST_CASE("malformed hdf5: a good one is read") {
  CHECK(refusal(h5_with([](hid_t) {}), read_whole).message == "accepted");
}

TEST_CASE("malformed hdf5: the file") {
  const Bytes good = h5_with([](hid_t) {});
  const auto front = [&](std::size_t length) {
    return Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(length));
  };
  Bytes superblock = good;
  std::fill(superblock.begin() + 8, superblock.begin() + 64, std::byte{0xff});
  Bytes zeros = good;
  std::fill(zeros.begin() + 8, zeros.end(), std::byte{0});
  check_refused(
      {
          {"another signature", to_bytes("\x89HDF\n\n\x1a\n"), {"expected an HDF5 file"}},
          {"nothing after the signature", front(8), {"superblock reaches beyond the end"}},
          {"half a superblock", front(30), {"superblock reaches beyond the end"}},
          {"superblock of ones", superblock, {"superblock version 2, found version 255"}},
          {"zeros after the signature", zeros, {"superblock version 2, found version 0"}},
          {"cut off", front(good.size() - 1), {"truncated: expected"}},
      },
      read_whole);
}

TEST_CASE("malformed hdf5: attributes of the file") {
  const auto file = [](const std::string& name, const std::function<void(hid_t)>& change,
                       const std::string& cause) {
    return Malformed{name, h5_with(change), {cause}};
  };
  check_refused(
      {
          file(
              "no format", [](hid_t f) { H5Adelete(f, "format"); }, "attribute format is missing"),
          file(
              "another format", [](hid_t f) { set_text(f, "/", "format", "keras"); },
              "attribute format: expected \"ltz-checkpoint\""),
          file(
              "no version", [](hid_t f) { H5Adelete(f, "version"); }, "attribute version is missi"),
          file(
              "version of the future", [](hid_t f) { set_integers(f, "/", "version", {2}); },
              "newer ltz: expected version 1, found 2"),
          file(
              "version 0", [](hid_t f) { set_integers(f, "/", "version", {0}); },
              "attribute version: expected 1"),
          file(
              "two versions",
              [](hid_t f) {
                set_integers(f, "/", "version", {1, 1});
              },
              "attribute version: expected 1"),
          file(
              "no configuration", [](hid_t f) { H5Adelete(f, "config"); },
              "attribute config is missing"),
          file(
              "configuration is a number", [](hid_t f) { set_integers(f, "/", "config", {1}); },
              "attribute config: expected one string"),
          file(
              "configuration is not JSON", [](hid_t f) { set_text(f, "/", "config", "layers=6"); },
              "attribute config: configuration: "),
          file(
              "nested configuration",
              [](hid_t f) { set_text(f, "/", "config", std::string(60'000, '[')); }, "nested"),
      },
      read_whole);
}

TEST_CASE("malformed hdf5: vocabularies, merges and links") {
  const auto file = [](const std::string& name, const std::function<void(hid_t)>& change,
                       std::vector<std::string> says) {
    return Malformed{name, h5_with(change), std::move(says)};
  };
  const hid_t word = H5Tcopy(H5T_C_S1);
  H5Tset_size(word, 4);
  check_refused(
      {
          file("no vocabulary", [](hid_t f) { unlink(f, "vocabulary"); },
               {"vocabulary is missing"}),
          file("no source vocabulary", [](hid_t f) { unlink(f, "vocabulary/source"); },
               {"vocabulary/source: ", "missing"}),
          file("vocabulary is a dataset", [](hid_t f) { replace(f, "vocabulary", {}); },
               {"vocabulary: expected a group"}),
          file("words are numbers", [](hid_t f) { replace(f, "vocabulary/target", {}); },
               {"vocabulary/target: ", "expected a one-dimensional dataset of strings"}),
          file("words in two dimensions",
               [&](hid_t f) {
                 replace(f, "vocabulary/target", {.type = word, .shape = {3, 3}});
               },
               {"vocabulary/target: ", "expected a one-dimensional"}),
          file("one word many times",
               [&](hid_t f) {
                 replace(f, "vocabulary/target", {.type = word, .shape = {9}, .content = 'a'});
               },
               {"vocabulary/target: the vocabulary has a word twice: \"aaaa\""}),
          file("too few words",
               [&](hid_t f) {
                 replace(f, "vocabulary/target", {.type = word, .shape = {1}, .content = 'a'});
               },
               {"the target dictionary does not match the model: expected 13 entries", "found 5"}),
          file("2^40 words that nobody wrote",
               [&](hid_t f) {
                 replace(f, "vocabulary/source",
                         {.type = word, .shape = {1ULL << 40}, .written = false});
               },
               {"vocabulary/source: ", "more than the file has"}),
          file("merge of one symbol",
               [&](hid_t f) { replace(f, "merges", {.type = word, .shape = {1}, .content = 'a'}); },
               {"merges: expected \"left right\", found \"aaaa\""}),
          file("soft link",
               [](hid_t f) {
                 unlink(f, "vocabulary/source");
                 H5Lcreate_soft("/vocabulary/target", f, "vocabulary/source", H5P_DEFAULT,
                                H5P_DEFAULT);
               },
               {"vocabulary/source: ", "expected a hard link"}),
          file("soft link to nowhere",
               [](hid_t f) {
                 unlink(f, "tensors");
                 H5Lcreate_soft("/tensors", f, "tensors", H5P_DEFAULT, H5P_DEFAULT);
               },
               {"tensors: expected a hard link"}),
          file("external link",
               [](hid_t f) {
                 unlink(f, "vocabulary");
                 H5Lcreate_external("other.h5", "/", f, "vocabulary", H5P_DEFAULT, H5P_DEFAULT);
               },
               {"vocabulary: expected a hard link"}),
          file("group within itself",
               [](hid_t f) {
                 unlink(f, "tensors");
                 H5Lcreate_hard(f, "/", f, "tensors", H5P_DEFAULT, H5P_DEFAULT);
               },
               {"tensor"}),
      },
      read_whole);
  H5Tclose(word);
}

TEST_CASE("malformed hdf5: attributes of a tensor") {
  check_refused(
      {
          {"no tensors", h5_with([](hid_t f) { unlink(f, "tensors"); }), {"tensors is missing"}},
          {"one tensor too many",
           h5_with([](hid_t f) {
             H5Gclose(H5Gcreate2(f, "tensors/x", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
           }),
           {"tensors: expected the 54 of the configuration, found 55"}},
          {"one tensor renamed",
           h5_with([](hid_t f) {
             H5Lmove(f, ("tensors/" + kHalves).c_str(), f, "tensors/x", H5P_DEFAULT, H5P_DEFAULT);
           }),
           {"tensor " + kHalves + ": ", "missing"}},
          tensor(
              "a dataset in place of the group", kHalves,
              [](hid_t f, const std::string& path) { replace(f, path, {}); }, "expected a group"),
          codebook(
              "no shape",
              [](hid_t f, const std::string& path) {
                H5Adelete_by_name(f, path.c_str(), "shape", H5P_DEFAULT);
              },
              "attribute shape is missing"),
          codebook(
              "shape of nine dimensions",
              [](hid_t f, const std::string& path) {
                set_integers(f, path, "shape", std::vector<std::int64_t>(9, 1));
              },
              "attribute shape: expected at most 8 little-endian integers"),
          codebook(
              "shape that wraps around",
              [](hid_t f, const std::string& path) {
                set_integers(f, path, "shape", {1LL << 62, 4});
              },
              "attribute shape: expected (13, 8), found (4611686018427387904, 4)"),
          codebook(
              "negative shape",
              [](hid_t f, const std::string& path) {
                set_integers(f, path, "shape", {-13, 8});
              },
              "attribute shape: expected (13, 8), found (-13, 8)"),
          codebook(
              "another shape than the configuration's",
              [](hid_t f, const std::string& path) {
                set_integers(f, path, "shape", {8, 13});
              },
              "attribute shape: expected (13, 8), found (8, 13)"),
          codebook(
              "unknown encoding",
              [](hid_t f, const std::string& path) { set_text(f, path, "encoding", "int4"); },
              "attribute encoding: expected \"float32\""),
          codebook(
              "encoding of the others",
              [](hid_t f, const std::string& path) { set_text(f, path, "encoding", "float32"); },
              "values is missing"),
          codebook(
              "no codes", [](hid_t f, const std::string& path) { unlink(f, path + "/codes"); },
              "codes is missing"),
          codebook(
              "no codebook",
              [](hid_t f, const std::string& path) { unlink(f, path + "/codebook"); },
              "codebook is missing"),
      },
      read_whole);
}

TEST_CASE("malformed hdf5: datasets") {
  const std::vector<hsize_t> shape = {13, 8};
  const Creation chunked;
  H5Pset_chunk(chunked.id(), 2, shape.data());
  const Creation filtered;
  H5Pset_chunk(filtered.id(), 2, shape.data());
  H5Pset_deflate(filtered.id(), 9);
  const Creation external;
  H5Pset_external(external.id(), "codes.bin", 0, 104);
  check_refused(
      {
          codes("chunked", {.creation = chunked.id()}, "expected contiguous storage without"),
          codes("filtered", {.creation = filtered.id()}, "expected contiguous storage without"),
          codes("in another file", {.creation = external.id(), .written = false},
                "expected the data in this file"),
          codes("of 16 bits", {.type = H5T_STD_U16LE}, "expected elements of type uint8"),
          codes("with a sign", {.type = H5T_STD_I8LE}, "expected elements of type uint8"),
          codes("of floats", {.type = H5T_IEEE_F32LE}, "expected elements of type uint8"),
          codes("of another shape", {.shape = {8, 13}}, "expected shape (13, 8), found (8, 13)"),
          codes("in one dimension", {.shape = {104}}, "expected shape (13, 8), found (104)"),
          codes("in nine dimensions", {.shape = std::vector<hsize_t>(9, 1)},
                "expected 0 to 8 dimensions"),
          codes("of 2^40 bytes that nobody wrote", {.shape = {1 << 20, 1 << 20}, .written = false},
                "expected shape (13, 8)"),
          codes("never written", {.written = false}, "expected 104 bytes of storage, found 0"),
          codebook(
              "codes are a group",
              [](hid_t f, const std::string& path) {
                unlink(f, path + "/codes");
                H5Gclose(H5Gcreate2(f, (path + "/codes").c_str(), H5P_DEFAULT, H5P_DEFAULT,
                                    H5P_DEFAULT));
              },
              "codes: expected a dataset"),
          codebook(
              "257 centroids",
              [](hid_t f, const std::string& path) {
                replace(f, path + "/codebook", {.type = H5T_IEEE_F32LE, .shape = {257}});
              },
              "codebook: expected at most 256 centroids, found shape (257)"),
          codebook(
              "centroids of 64 bits",
              [](hid_t f, const std::string& path) {
                replace(f, path + "/codebook", {.type = H5T_IEEE_F64LE, .shape = {9}});
              },
              "codebook: expected elements of type float32"),
          codebook(
              "equal centroids",
              [](hid_t f, const std::string& path) {
                replace(f, path + "/codebook", {.type = H5T_IEEE_F32LE, .shape = {9}});
              },
              "codebook: centroid 1 is not above the one before it"),
          codebook(
              "a centroid that is no number",
              [](hid_t f, const std::string& path) {
                write_elements<float>(f, path + "/codebook", H5T_NATIVE_FLOAT,
                                      {-4, -3, -2, -1, 0, 1, 2, 3, NAN});
              },
              "codebook: centroid 8 is not finite"),
          codebook(
              "beyond the codebook",
              [](hid_t f, const std::string& path) { replace(f, path + "/codes", {.content = 9}); },
              "code 9 has no centroid: there are 9"),
          codebook(
              "mask disagrees",
              [](hid_t f, const std::string& path) {
                write_elements(f, path + "/mask", H5T_NATIVE_UINT8,
                               std::vector<std::uint8_t>(104, 0));
              },
              "mask: expected 1 for a kept and 0 for a zero element, found 0 at element"),
          codebook(
              "mask of twos",
              [](hid_t f, const std::string& path) {
                write_elements(f, path + "/mask", H5T_NATIVE_UINT8,
                               std::vector<std::uint8_t>(104, 2));
              },
              "mask: expected 1 for a kept and 0 for a zero element, found 2"),
          codebook(
              "no mask", [](hid_t f, const std::string& path) { unlink(f, path + "/mask"); },
              "mask is missing"),
          tensor(
              "mask of what is not pruned", kHalves,
              [](hid_t f, const std::string& path) {
                replace(f, path + "/mask", {.shape = {8}, .content = 1});
              },
              "mask: expected none where no element is zero"),
          tensor(
              "float32 for float16", kHalves,
              [](hid_t f, const std::string& path) {
                replace(f, path + "/values", {.type = H5T_IEEE_F32LE, .shape = {8}});
              },
              "values: expected elements of type float16"),
          tensor(
              "a weight that is no number", kHalves,
              [](hid_t f, const std::string& path) {
                write_elements<float>(f, path + "/values", H5T_NATIVE_FLOAT,
                                      {1, 2, NAN, 4, 5, 6, 7, 8});
              },
              "found nan at element 2"),
      },
      read_whole);
}

TEST_CASE("malformed hdf5: row scales") {
  const std::vector<hsize_t> shape = {13};
  const Creation chunked;
  H5Pset_chunk(chunked.id(), 1, shape.data());
  // Scales `content` beside this codebook.
  const auto scaled = [](const std::vector<float>& centroids, int content) {
    return [=](hid_t f, const std::string& path) {
      write_elements(f, path + "/codebook", H5T_NATIVE_FLOAT, centroids);
      replace(f, path + "/row_scales", {.shape = {13}, .content = content});
    };
  };
  check_refused(
      {
          row_scales("one too few", {.shape = {12}}, "row_scales: expected shape (13), found (12)"),
          row_scales("one too many", {.shape = {14}},
                     "row_scales: expected shape (13), found (14)"),
          row_scales("one for each element", {.shape = {13, 8}},
                     "row_scales: expected shape (13), found (13, 8)"),
          row_scales("none", {.shape = {0}}, "row_scales: expected shape (13), found (0)"),
          row_scales("2^40 that nobody wrote", {.shape = {1ULL << 40}, .written = false},
                     "row_scales: expected shape (13)"),
          row_scales("never written", {.shape = {13}, .written = false},
                     "row_scales: expected 13 bytes of storage, found 0"),
          row_scales("chunked", {.shape = {13}, .creation = chunked.id()},
                     "row_scales: expected contiguous storage without"),
          row_scales("of 16 bits", {.type = H5T_STD_U16LE, .shape = {13}},
                     "row_scales: expected elements of type uint8"),
          row_scales("with a sign", {.type = H5T_STD_I8LE, .shape = {13}},
                     "row_scales: expected elements of type uint8"),
          row_scales("of floats", {.type = H5T_IEEE_F32LE, .shape = {13}},
                     "row_scales: expected elements of type uint8"),
          codebook(
              "a group",
              [](hid_t f, const std::string& path) {
                H5Gclose(H5Gcreate2(f, (path + "/row_scales").c_str(), H5P_DEFAULT, H5P_DEFAULT,
                                    H5P_DEFAULT));
              },
              "row_scales: expected a dataset"),
          codebook("infinite elements", scaled({-4, -3, -2, -1, 0, 1, 2, 3, 1e38f}, 255),
                   "expected finite values, found inf at centroid 8 times the largest row scale"),
          codebook("mask of elements that are rounded to zero",
                   scaled({-4, -3, -2, -1e-45f, 0, 1e-45f, 2, 3, 4}, 0),
                   "mask: expected 1 for a kept and 0 for a zero element, found 1"),
      },
      read_whole);
}
