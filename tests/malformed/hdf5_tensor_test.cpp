// .h5 files in which HDF5's own library damaged a tensor. HDF5.md has the layout.

#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "damaged_hdf5.h"
#include "formats/hdf5/hdf5.h"
#include "malformed.h"

using namespace ltz;
using namespace ltz::test;

namespace {

// Of tiny_quantized_checkpoint(1), in the order of the names: a codebook of nine centroids with
// zeros among them, then float16 values.
const std::string kCodebook = "decoder.embed_tokens.weight";              // (13, 8)
const std::string kHalves = "decoder.layers.0.encoder_attn.k_proj.bias";  // (8)

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

// One dataset of the codebook tensor, made anew with these properties.
Malformed replaced(const std::string& name, const std::string& part, const Dataset& dataset,
                   const std::string& cause) {
  return codebook(
      name, [&](hid_t f, const std::string& path) { replace(f, path + "/" + part, dataset); },
      cause);
}

Malformed codes(const std::string& name, const Dataset& dataset, const std::string& cause) {
  return replaced(name, "codes", dataset, "codes: " + cause);
}

Malformed row_scales(const std::string& name, const Dataset& dataset, const std::string& cause) {
  return replaced(name, "row_scales", dataset, cause);
}

void make_group(hid_t file, const std::string& path) {
  H5Gclose(H5Gcreate2(file, path.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
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

TEST_CASE("malformed hdf5: attributes of a tensor") {
  check_refused(
      {
          {"no tensors", h5_with([](hid_t f) { unlink(f, "tensors"); }), {"tensors is missing"}},
          {"one tensor too many",
           h5_with([](hid_t f) { make_group(f, "tensors/x"); }),
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
              "attribute shape: expected at most 8 integers"),
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
      read_h5_file);
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
  const Creation elsewhere;
  const hid_t space = H5Screate_simple(2, shape.data(), nullptr);
  H5Pset_virtual(elsewhere.id(), space, "other.h5", "/codes", space);
  H5Sclose(space);
  check_refused(
      {
          replaced("chunked", "codes", {.creation = chunked.id(), .content = 9},
                   "code 9 has no centroid"),
          replaced("filtered", "codes", {.creation = filtered.id(), .content = 9},
                   "code 9 has no centroid"),
          codes("in another file", {.creation = external.id(), .written = false},
                "expected the data in this file"),
          codes("in another dataset", {.creation = elsewhere.id(), .written = false},
                "expected the data in this file"),
          codes("of 16 bits", {.type = H5T_STD_U16LE, .content = 1}, "HDF5: "),
          codes("below zero", {.type = H5T_STD_I8LE, .content = 255}, "HDF5: "),
          codes("of floats", {.type = H5T_IEEE_F32LE}, "expected elements of type uint8"),
          codes("of another shape", {.shape = {8, 13}}, "expected shape (13, 8), found (8, 13)"),
          codes("in one dimension", {.shape = {104}}, "expected shape (13, 8), found (104)"),
          codes("in nine dimensions", {.shape = std::vector<hsize_t>(9, 1)},
                "expected 0 to 8 dimensions"),
          codes("of 2^40 bytes that nobody wrote", {.shape = {1 << 20, 1 << 20}, .written = false},
                "expected shape (13, 8)"),
          replaced("never written", "codes", {.written = false},
                   "mask: expected 1 for a kept and 0 for a zero element"),
          codebook(
              "codes are a group",
              [](hid_t f, const std::string& path) {
                unlink(f, path + "/codes");
                make_group(f, path + "/codes");
              },
              "codes: expected a dataset"),
          replaced("257 centroids", "codebook", {.type = H5T_IEEE_F32LE, .shape = {257}},
                   "codebook: expected at most 256 centroids, found shape (257)"),
          replaced("centroids are integers", "codebook", {.type = H5T_STD_I32LE, .shape = {9}},
                   "codebook: expected elements of type float32"),
          replaced("equal centroids of 64 bits", "codebook", {.type = H5T_IEEE_F64LE, .shape = {9}},
                   "codebook: centroid 1 is not above the one before it"),
          replaced("equal centroids", "codebook", {.type = H5T_IEEE_F32LE, .shape = {9}},
                   "codebook: centroid 1 is not above the one before it"),
          codebook(
              "a centroid that is no number",
              [](hid_t f, const std::string& path) {
                write_elements<float>(f, path + "/codebook", H5T_NATIVE_FLOAT,
                                      {-4, -3, -2, -1, 0, 1, 2, 3, NAN});
              },
              "codebook: centroid 8 is not finite"),
          replaced("beyond the codebook", "codes", {.content = 9},
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
          tensor(
              "mask of zeros where no element is zero", kHalves,
              [](hid_t f, const std::string& path) {
                replace(f, path + "/mask", {.shape = {8}, .content = 0});
              },
              "mask: expected 1 for a kept and 0 for a zero element, found 0 at element 0"),
          tensor(
              "integers for float16", kHalves,
              [](hid_t f, const std::string& path) {
                replace(f, path + "/values", {.type = H5T_STD_U16LE, .shape = {8}});
              },
              "values: expected elements of type float16"),
          tensor(
              "float32 without numbers for float16", kHalves,
              [](hid_t f, const std::string& path) {
                replace(f, path + "/values",
                        {.type = H5T_IEEE_F32LE, .shape = {8}, .content = 255});
              },
              "values: expected finite values, found nan at element 0"),
          tensor(
              "a weight that is no number", kHalves,
              [](hid_t f, const std::string& path) {
                write_elements<float>(f, path + "/values", H5T_NATIVE_FLOAT,
                                      {1, 2, NAN, 4, 5, 6, 7, 8});
              },
              "found nan at element 2"),
      },
      read_h5_file);
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
          row_scales("chunked and too many", {.shape = {14}, .creation = chunked.id()},
                     "row_scales: expected shape (13), found (14)"),
          row_scales("of 16 bits", {.type = H5T_STD_U16LE, .shape = {13}, .content = 1},
                     "row_scales: HDF5: "),
          row_scales("below zero", {.type = H5T_STD_I8LE, .shape = {13}, .content = 255},
                     "row_scales: HDF5: "),
          row_scales("of floats", {.type = H5T_IEEE_F32LE, .shape = {13}},
                     "row_scales: expected elements of type uint8"),
          codebook(
              "a group",
              [](hid_t f, const std::string& path) { make_group(f, path + "/row_scales"); },
              "row_scales: expected a dataset"),
          codebook("infinite elements", scaled({-4, -3, -2, -1, 0, 1, 2, 3, 1e38f}, 255),
                   "expected finite values, found inf at centroid 8 times the largest row scale"),
          codebook("mask of elements that are rounded to zero",
                   scaled({-4, -3, -2, -1e-45f, 0, 1e-45f, 2, 3, 4}, 0),
                   "mask: expected 1 for a kept and 0 for a zero element, found 1"),
      },
      read_h5_file);
}
